/** `leasehold watch`: a view in the terminal, as a table, as lines, or as JSON for other programs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Fault, type Subscription, type View } from '@leasehold/client';
import { ERROR_CATALOGUE, type ErrorCode, LeaseholdError } from '@leasehold/kernel';
import { loadWorld } from '@leasehold/world';
import { openInterrupt } from '../interrupt.ts';
import type { Output } from '../output.ts';
import type { WatchOptions } from '../watch-options.ts';
import { plainLine, tableLines, type WatchFacts } from '../watch-table.ts';

/** Tries of each gateway before a world that was never seen counts as unreachable. */
const TRIES_MAX = 4;
const REDRAW_MS = 250;
const LINE_MS = 1_000;
/** A reader of `--json` that is slower than the world misses updates, not memory. */
const UNREAD_BYTES_MAX = 8 * 1024 * 1024;

/** Runs until Ctrl-C, the time is over, or a fault that no retry can cure. */
export async function watch(options: WatchOptions, output: Output): Promise<number> {
  const { world, isFolder, gateways, area, components, rateHz } = options;
  const name = isFolder ? (await loadWorld(world)).manifest.world : world;
  const end = new AbortController();
  const interrupt = openInterrupt(
    () => end.abort(),
    () => undefined,
  );
  // As `| head` does: whoever read this has gone.
  const gone = (): void => end.abort();
  process.stdout.on('error', gone);
  const view = connect({ url: gateways, world: name });
  const subscription = view.subscribe({
    area,
    ...(components === undefined ? {} : { components }),
    ...(options.with === undefined ? {} : { with: options.with }),
    ...(rateHz === undefined ? {} : { rateHz }),
  });
  let fault: LeaseholdError | undefined;
  hearFaults(view, subscription, output, gateways.length, (error) => {
    fault ??= error;
    end.abort();
  });
  if (output.isJson) tellJson(view, subscription, output);
  try {
    await show(
      { view, subscription, area: options.areaText, updatesPerS: 0 },
      options,
      end,
      output,
    );
    if (fault !== undefined) throw fault;
    return 0;
  } finally {
    output.clear();
    view.close();
    interrupt.close();
    process.stdout.off('error', gone);
  }
}

/** What ends the command, and what is only said because it was seen to work before. */
function hearFaults(
  view: View,
  subscription: Subscription,
  output: Output,
  gateways: number,
  end: (error: LeaseholdError) => void,
): void {
  let wasLive = false;
  let failures = 0;
  let unreachable: Fault | undefined;
  subscription.on('live', () => {
    wasLive = true;
  });
  subscription.on('error', (fault) => {
    if (wasLive) output.warn(`${fault.message}: ${fault.remedy}`);
    else end(errorOf(fault));
  });
  view.on('error', (fault) => {
    if (fault.code === 'GATEWAY_UNREACHABLE') unreachable = fault;
    else if (fault.code === 'BODY_MALFORMED') output.warn(fault.message);
    else end(errorOf(fault));
  });
  view.on('close', () => {
    if (view.state !== 'connecting' || ++failures < TRIES_MAX * gateways) return;
    if (unreachable !== undefined) end(errorOf(unreachable));
  });
}

/** The gateway's words; a code that this build does not know is told as a refused setting. */
function errorOf({ code, message, field, value, remedy }: Fault): LeaseholdError {
  const known = Object.hasOwn(ERROR_CATALOGUE, code) ? (code as ErrorCode) : 'SETTING_INVALID';
  return new LeaseholdError(known, message, { field, value, remedy });
}

/** One JSON line for each batch of events. Nothing before the view is live but a fault. */
function tellJson(view: View, subscription: Subscription, output: Output): void {
  let skipped = 0;
  const line = (type: string, facts: Readonly<Record<string, unknown>>): void =>
    output.jsonLine({ type, tick: subscription.tick, ...facts });
  const entities = (ids: readonly number[]) => ids.flatMap((id) => subscription.get(id) ?? []);
  subscription.on('enter', (ids) => line('enter', { entities: entities(ids) }));
  subscription.on('leave', (ids) => line('leave', { ids }));
  subscription.on('update', (ids) => {
    if (process.stdout.writableLength > UNREAD_BYTES_MAX) {
      skipped += ids.length;
      return;
    }
    line('update', { entities: entities(ids), ...(skipped > 0 ? { skipped } : {}) });
    skipped = 0;
  });
  subscription.on('resync', (cells) => line('resync', { cells }));
  subscription.on('live', ({ size }) => {
    line('state', { state: 'live', world: view.welcome?.world, gateway: view.url, size });
  });
  view.on('state', (state) => {
    if (state === 'waiting') line('state', { state, gateway: view.url });
  });
}

/** Until it ends: a table that is redrawn, or a line a second where that is impossible. */
async function show(
  facts: WatchFacts & { readonly view: View },
  options: WatchOptions,
  end: AbortController,
  output: Output,
): Promise<void> {
  const startMs = performance.now();
  const untilMs = options.seconds > 0 ? startMs + options.seconds * 1000 : Number.POSITIVE_INFINITY;
  const everyMs = output.isLive ? REDRAW_MS : LINE_MS;
  let [updates, atMs] = [0, startMs];
  while (!end.signal.aborted && performance.now() < untilMs) {
    const waitMs = Math.min(everyMs, untilMs - performance.now());
    await sleep(Math.max(1, waitMs), undefined, { signal: end.signal }).catch(() => undefined);
    const now = performance.now();
    const updatesPerS = ((facts.view.updates - updates) * 1000) / Math.max(1, now - atMs);
    [updates, atMs] = [facts.view.updates, now];
    if (end.signal.aborted) return;
    if (output.isLive) output.live(tableLines({ ...facts, updatesPerS }, output.colors));
    else output.print(plainLine({ ...facts, updatesPerS }));
  }
}
