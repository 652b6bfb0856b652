/**
 * Many lanes at once against real processes, some of which are killed; in the end the world must be
 * what the models of all lanes are together.
 */
import { createRandom } from '@leasehold/kernel';
import { Asker, type Tally } from './asking.ts';
import { Client } from './http.ts';
import { Lane } from './lane.ts';
import { type Stand, untilReady } from './stand.ts';

const LANES = 24;
const WORLD = 'histories';
/** Shorter histories than this are over before anybody could be killed in them. */
const KILLS_FROM = 2_000;
const FINDINGS_MAX = 10;
/** Far apart, so that no two runs with seeds near each other share a lane. */
const LANE_SEEDS = 1_000_003;

export type HistoryReport = Tally & {
  readonly seed: number;
  readonly operations: number;
  readonly seconds: number;
  readonly kills: number;
  readonly alive: number;
  readonly deleted: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly findings: readonly string[];
};

export async function proveHistories(
  stand: Stand,
  { operations, seed }: { readonly operations: number; readonly seed: number },
  onDone: (done: number) => void = () => undefined,
): Promise<HistoryReport> {
  const folder = await stand.seed(WORLD);
  await Promise.all([stand.startPod(folder), stand.startPod(folder)]);
  for (const url of stand.urls) await untilReady(url, WORLD);
  const client = new Client();
  const tally: Tally = { sent: 0, lost: 0, later: 0, broken: 0 };
  const findings: string[] = [];
  const lanes = Array.from({ length: LANES }, (_, number) => {
    const random = createRandom(seed * LANE_SEEDS + number);
    const asker = new Asker(client, () => stand.urls, random, tally);
    return new Lane(number, WORLD, asker, random);
  });
  const startMs = performance.now();
  const killing = new Killing(stand, folder, operations);
  let done = 0;
  const run = async (lane: Lane, number: number): Promise<void> => {
    while (done < operations && findings.length < FINDINGS_MAX) {
      done++;
      onDone(done);
      killing.at(done);
      try {
        await lane.step();
      } catch (error) {
        // Of a lane that is not as its model nothing more can be said.
        findings.push(`lane ${number}, about operation ${done}: ${messageOf(error)}`);
        return;
      }
    }
  };
  await Promise.all(lanes.map(run));
  const kills = await killing.end();
  if (findings.length === 0) findings.push(...(await differences(lanes)));
  findings.push(...stand.faults.map((line) => `a service logged ${line.slice(0, 500)}`));
  client.close();
  const seconds = Math.round((performance.now() - startMs) / 100) / 10;
  const alive = lanes.reduce((sum, { model }) => sum + model.alive.size, 0);
  const deleted = lanes.reduce((sum, { model }) => sum + model.dead.size, 0);
  const counts = countsOf(lanes);
  return { seed, operations: done, seconds, kills, alive, deleted, ...tally, counts, findings };
}

/** A service at every fourth of the history, a pod at its third. */
class Killing {
  readonly #stand: Stand;
  readonly #folder: string;
  readonly #operations: number;
  readonly #under: Promise<void>[] = [];

  constructor(stand: Stand, folder: string, operations: number) {
    this.#stand = stand;
    this.#folder = folder;
    this.#operations = operations;
  }

  at(done: number): void {
    if (this.#operations < KILLS_FROM) return;
    const fourth = Math.floor(this.#operations / 4);
    if (done % fourth === 0) this.#under.push(this.#stand.killService());
    if (done === Math.floor(this.#operations / 3)) {
      this.#under.push(this.#stand.killPod(this.#folder));
    }
  }

  async end(): Promise<number> {
    await Promise.all(this.#under);
    return this.#under.length;
  }
}

/** What of the lanes is otherwise than in their models, once nobody asks for anything any more. */
async function differences(lanes: readonly Lane[]): Promise<string[]> {
  const ends = await Promise.allSettled(lanes.map((lane) => lane.compare()));
  return ends.flatMap((end, number) =>
    end.status === 'fulfilled' ? [] : [`lane ${number} in the end: ${messageOf(end.reason)}`],
  );
}

function countsOf(lanes: readonly Lane[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const lane of lanes) {
    for (const [what, count] of lane.counts) counts[what] = (counts[what] ?? 0) + count;
  }
  return counts;
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 2_000);
