/** What `connect` was given, checked and completed. */
import { LeaseholdError } from '@leasehold/kernel';
import { systemClock } from './clock.ts';
import type { ClientClock, ConnectOptions, SocketConstructor } from './types.ts';

const DELAY_TICKS = 1.5;

export type Settings = {
  readonly urls: readonly string[];
  /** '' for the one the gateway serves. */
  readonly world: string;
  readonly delayTicks: number;
  readonly firstMs?: number;
  readonly maxMs?: number;
  readonly WebSocket: SocketConstructor;
  readonly clock: ClientClock;
  readonly random: () => number;
};

/** Throws `SETTING_INVALID` for what no connection can be made with. */
export function settingsOf(options: ConnectOptions): Settings {
  const given = typeof options.url === 'string' ? [options.url] : options.url;
  if (given.length === 0) throw invalid('url', '', 'Give the address of a gateway.');
  const WebSocket =
    options.WebSocket ?? (globalThis as { readonly WebSocket?: SocketConstructor }).WebSocket;
  if (WebSocket === undefined) {
    throw invalid('WebSocket', 'none', 'Use Node 22 or newer, or pass a WebSocket class.');
  }
  const delayTicks = options.interpolation?.delayTicks ?? DELAY_TICKS;
  if (!(delayTicks >= 0 && delayTicks <= 1_000)) {
    throw invalid('interpolation.delayTicks', String(delayTicks), 'Give ticks from 0 to 1000.');
  }
  const { firstMs, maxMs } = options.backoff ?? {};
  return {
    urls: given.map(addressOf),
    world: options.world ?? '',
    delayTicks,
    ...(firstMs === undefined ? {} : { firstMs }),
    ...(maxMs === undefined ? {} : { maxMs }),
    WebSocket,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  };
}

function addressOf(text: string): string {
  const isAddress = /^wss?:\/\/[^\s/?#]+/.test(text) && URL.canParse(text) && !text.includes('#');
  if (!isAddress) throw invalid('url', text, 'Give an address such as ws://127.0.0.1:7300/view.');
  return text;
}

function invalid(field: string, value: string, remedy: string): LeaseholdError {
  const message = `${field} cannot be ${JSON.stringify(value)}`;
  return new LeaseholdError('SETTING_INVALID', message, { field, value, remedy });
}
