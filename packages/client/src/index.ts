/** View client for browser and Node: subscribe to an area, read it, draw it smoothly. */
import { LiveView } from './live-view.ts';
import { settingsOf } from './options.ts';
import type { ConnectOptions, View } from './types.ts';

export type {
  Answer,
  Area,
  ComponentSchema,
  DecisionKind,
  Edge,
  FeedItem,
  FieldValue,
  Holders,
  JournalItem,
  PlanRegion,
  PlanView,
  PodStatus,
  Rect,
  Relief,
  Side,
  Status,
  Welcome,
  WorldTime,
} from '@leasehold/protocol/view';
export type {
  CellColumns,
  ClientClock,
  ConnectOptions,
  Entity,
  Fault,
  Positions,
  Snapshot,
  Socket,
  SocketConstructor,
  SubscribeOptions,
  Subscription,
  SubscriptionEvents,
  View,
  ViewEvents,
  ViewState,
} from './types.ts';

/**
 * Connects, and stays connected until `close`: the first connection is made after the caller's own
 * code, so that it can listen and subscribe first. What goes wrong later is an `error` event.
 *
 * Errors: throws `SETTING_INVALID` for options that no connection can be made with.
 */
export function connect(options: ConnectOptions): View {
  return new LiveView(settingsOf(options));
}
