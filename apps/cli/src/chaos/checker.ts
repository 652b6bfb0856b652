/** The clients of the outside checker, and its judgement: V1 as whoever uses the product sees it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '@leasehold/kernel';
import { openLiveStore } from '@leasehold/live-store';
import { compile } from '@leasehold/sdk/engine';
import { loadWorld } from '@leasehold/world';
import type { loadCheckerConfig } from '../config.ts';
import { truthOf } from './truth.ts';
import { lookOf, Watcher } from './watcher.ts';

/** What the clients have seen so far. Times are of the machine's clock. */
export type Seen = {
  readonly type: 'seen';
  readonly atMs: number;
  /** The newest tick of any client. */
  readonly tick: number;
  readonly live: number;
  readonly clients: number;
  readonly resyncs: number;
  readonly reconnects: number;
  readonly frames: number;
};

/** The whole world stood still for a client that sees all of it. */
export type Standstill = {
  readonly type: 'standstill';
  readonly fromMs: number;
  readonly toMs: number;
  readonly tick: number;
};

export type Judged = {
  readonly type: 'judged';
  readonly clients: number;
  /** Entities that live, by what Redis holds. */
  readonly entities: number;
  /** Pairs of client and entity that were compared. */
  readonly compared: number;
  readonly differing: number;
  /** Some of what clients see otherwise than it is. */
  readonly differences: readonly string[];
  /** Entities that left a view of everybody though they live. */
  readonly vanished: readonly string[];
  /** Cells that went back without a word. */
  readonly wrongs: readonly string[];
  readonly faults: readonly string[];
  readonly resyncs: number;
  readonly reconnects: number;
  readonly frames: number;
  readonly bytes: number;
  /** From being asked until every view was right. */
  readonly agreedMs: number;
};

export type CheckerMessage =
  | { readonly type: 'ready'; readonly clients: number }
  | Seen
  | Standstill
  | Judged;

type Config = ReturnType<typeof loadCheckerConfig>;

const LOOK_MS = 10;
const SEEN_MS = 250;
/** Less is the rhythm of frames on a busy machine. */
const STANDSTILL_MS_MIN = 250;
const READY_MS_MAX = 30_000;
/** All views are live again within this after the last fault. */
const AGREE_MS_MAX = 15_000;
const SAID_MAX = 20;

export async function openChecker(config: Config, say: (message: CheckerMessage) => void) {
  const { manifest, simulation, grid } = await loadWorld(config.worldFolder);
  const { seed, tickHz, params, layers } = manifest;
  const { layer, world, incarnation } = config;
  const { schema } = compile(simulation, { layer, grid, seed, tickHz, params, layers });
  const urls = config.gatewayUrls.split(',');
  const random = createRandom(config.seed);
  const watchers = Array.from({ length: config.clients }, (_, i) => {
    const rotated = urls.map((_url, at) => urls[(at + i) % urls.length] as string);
    return new Watcher(lookOf(i, grid, random), rotated);
  });
  await untilLive(watchers);
  say({ type: 'ready', clients: watchers.length });
  const total = (of: (watcher: Watcher) => number): number =>
    watchers.reduce((sum, watcher) => sum + of(watcher), 0);
  const timers = [setInterval(standstills(watchers, say), LOOK_MS)];
  timers.push(
    setInterval(() => {
      say({
        type: 'seen',
        atMs: Date.now(),
        tick: newestTick(watchers),
        live: watchers.filter(({ subscription }) => subscription.isLive).length,
        clients: watchers.length,
        resyncs: total(({ resyncs }) => resyncs),
        reconnects: total(({ view }) => view.reconnects),
        frames: total(({ view }) => view.frames),
      });
    }, SEEN_MS),
  );

  /** The world must be at rest, and gateways must serve it. */
  async function judge(): Promise<Judged> {
    for (const timer of timers) clearInterval(timer);
    const startMs = performance.now();
    const url = config.redisUrl;
    const store = await openLiveStore({ url, world, incarnation, layer, grid });
    const truth = await truthOf(store, schema, grid.cells).finally(() => store.close());
    let differing = watchers.map((watcher) => watcher.errors(truth, schema, grid));
    while (differing.flat().length > 0 && performance.now() - startMs < AGREE_MS_MAX) {
      await sleep(SEEN_MS);
      differing = watchers.map((watcher) => watcher.errors(truth, schema, grid));
    }
    const agreedMs = Math.round(performance.now() - startMs);
    const named = <T>(of: (watcher: Watcher) => readonly T[]): string[] =>
      watchers.flatMap((watcher, i) => of(watcher).map((said) => `client ${i}: ${String(said)}`));
    const result: Judged = {
      type: 'judged',
      clients: watchers.length,
      entities: truth.size,
      compared: total(({ subscription }) => subscription.size),
      differing: differing.flat().length,
      differences: differing
        .flatMap((some, i) => some.map((said) => `client ${i}: ${said}`))
        .slice(0, SAID_MAX),
      vanished: named((watcher) => watcher.vanished(truth)).slice(0, SAID_MAX),
      wrongs: named(({ wrongs }) => wrongs).slice(0, SAID_MAX),
      faults: named(({ faults }) => faults).slice(0, SAID_MAX),
      resyncs: total(({ resyncs }) => resyncs),
      reconnects: total(({ view }) => view.reconnects),
      frames: total(({ view }) => view.frames),
      bytes: total(({ view }) => view.bytes),
      agreedMs,
    };
    for (const { view } of watchers) view.close();
    return result;
  }
  return { judge };
}

async function untilLive(watchers: readonly Watcher[]): Promise<void> {
  const deadlineMs = performance.now() + READY_MS_MAX;
  while (!watchers.every(({ subscription }) => subscription.isLive)) {
    if (performance.now() > deadlineMs) {
      const faults = watchers.flatMap((watcher) => watcher.faults);
      throw new Error(`not all clients came to see their area: ${faults.join('; ')}`);
    }
    await sleep(LOOK_MS);
  }
}

function newestTick(watchers: readonly Watcher[]): number {
  return Math.max(...watchers.map(({ subscription }) => subscription.tick));
}

/** Says each stretch in which no client was shown a newer tick. */
function standstills(
  watchers: readonly Watcher[],
  say: (message: CheckerMessage) => void,
): () => void {
  let tick = newestTick(watchers);
  let sinceMs = Date.now();
  return () => {
    const now = newestTick(watchers);
    const nowMs = Date.now();
    if (now <= tick) return;
    if (nowMs - sinceMs >= STANDSTILL_MS_MIN) {
      say({ type: 'standstill', fromMs: sinceMs, toMs: nowMs, tick });
    }
    tick = now;
    sinceMs = nowMs;
  };
}
