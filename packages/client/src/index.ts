import type { ConnectOptions, View } from './types.ts';

export type {
  CellColumns,
  ClientClock,
  ConnectOptions,
  Entity,
  Fault,
  Positions,
  Socket,
  SocketConstructor,
  SubscribeOptions,
  Subscription,
  SubscriptionEvents,
  Value,
  View,
  ViewEvents,
  ViewState,
} from './types.ts';
export type {
  Area,
  FeedItem,
  Holders,
  PodStatus,
  Status,
  Welcome,
  WorldTime,
} from './wire.ts';

/** Connects, and stays connected until `close`. */
export function connect(options: ConnectOptions): View {
  throw new Error(`not yet: ${String(options.url)}`);
}
