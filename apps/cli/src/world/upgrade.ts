/**
 * `leasehold world upgrade`: the pods of a world come to run module and settings as they were applied, one after
 * the other. Each hands over and ends; whoever started it starts another in its place.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PodRecord } from '@leasehold/protocol';
import { openInterrupt } from '../interrupt.ts';
import { type OpenWorld, withWorld } from '../known-world.ts';
import type { Output } from '../output.ts';
import { type DrainReport, drainPod } from '../pods/drain.ts';
import { count } from '../text-table.ts';
import { type ApplyFlags, applied } from './apply.ts';
import { isOlder, podsHere, podsOf } from './compare.ts';

export type UpgradeFlags = ApplyFlags & {
  /** For each pod: how long its end, and then another in its place, are waited for. */
  readonly seconds: number;
};

const LOOK_MS = 250;

/** Exit codes: 0 all run it; 1 one did not leave in order, or nobody took its place. */
export async function upgrade(flags: UpgradeFlags, output: Output): Promise<number> {
  const { world, changes, mark } = await appliedTo(flags, output);
  return withWorld({ world, home: flags.home }, output, async (open) => {
    const end = new AbortController();
    const interrupt = openInterrupt(
      () => end.abort(),
      () => undefined,
    );
    try {
      const roll = new Roll(open, flags, output, { mark, signal: end.signal });
      const reports = await roll.run();
      const olderPods = await roll.older();
      const isDone = olderPods.length === 0 && reports.every(({ exitCode }) => exitCode === 0);
      output.json({ world, changes, replaced: reports, olderPods });
      output.print(
        olderPods.length === 0
          ? `all pods of ${output.colors.bold(world)} run the module, ` +
              `${count(reports.length, 'pod')} replaced`
          : `still with another module: ${olderPods.join(', ')}`,
      );
      return isDone ? 0 : 1;
    } finally {
      interrupt.close();
    }
  });
}

async function appliedTo(flags: ApplyFlags, output: Output) {
  const { world, module, settings, components } = await applied(flags, output);
  const changes = settings.length + components.length;
  output.progress(`${world} is applied: ${count(changes, 'change')}`);
  return { world, changes, mark: module.mark };
}

class Roll {
  readonly #open: OpenWorld;
  readonly #flags: UpgradeFlags;
  readonly #output: Output;
  readonly #mark: number;
  readonly #signal: AbortSignal;

  constructor(
    open: OpenWorld,
    flags: UpgradeFlags,
    output: Output,
    { mark, signal }: { readonly mark: number; readonly signal: AbortSignal },
  ) {
    this.#open = open;
    this.#flags = flags;
    this.#output = output;
    this.#mark = mark;
    this.#signal = signal;
  }

  /** Names of the pods that run another module. */
  async older(): Promise<string[]> {
    return (await this.#olderPods()).map(({ pod }) => pod);
  }

  async #olderPods(): Promise<PodRecord[]> {
    const pods = await podsOf(this.#open.layers.map(({ store }) => store));
    return pods.filter((pod) => isOlder(pod, this.#mark));
  }

  /** Stops where one did not leave in order, or where nobody has taken its place. */
  async run(): Promise<DrainReport[]> {
    const { world } = this.#open;
    const { home, seconds } = this.#flags;
    const reports: DrainReport[] = [];
    for (const { pod, layer } of await this.#olderPods()) {
      if (this.#signal.aborted) break;
      const wanted = (await this.#podsOf(layer)).length;
      this.#output.progress(`${pod} hands over to one with the module`);
      const options = { world, home, pod, seconds };
      const report = await drainPod(this.#open, options, this.#output, this.#signal);
      reports.push(report);
      if (report.exitCode !== 0 || !(await this.#untilReplaced(pod, layer, wanted))) break;
    }
    return reports;
  }

  #podsOf(layer: string): Promise<PodRecord[]> {
    const found = this.#open.layers.find((each) => each.layer === layer);
    return podsHere((found ?? this.#open).store);
  }

  /** By one of its layer: no other can take its cells. */
  async #untilReplaced(pod: string, layer: string, wanted: number): Promise<boolean> {
    const deadlineMs = performance.now() + this.#flags.seconds * 1_000;
    while (!this.#signal.aborted && performance.now() < deadlineMs) {
      const pods = await this.#podsOf(layer);
      const isReady = ({ state, report }: PodRecord): boolean =>
        state === 'ready' && report['module'] !== undefined;
      const ready = pods.filter(isReady).length;
      this.#output.live([`  ${ready} of ${count(wanted, 'pod')} are ready`]);
      if (ready >= wanted) return true;
      await sleep(LOOK_MS);
    }
    this.#output.warn(`nobody took the place of ${pod}: start another, and upgrade again`);
    return false;
  }
}
