/** The pods of a run: started, killed, frozen, woken, drained. No pod outlives the command. */
import { fileURLToPath } from 'node:url';
import type { PodRecord } from '@leasehold/protocol';
import { Child, type Exit } from './child.ts';

const MAIN = fileURLToPath(new URL('../../simulator/src/main.ts', import.meta.url));
/** What a pod has to hand everything over; then some, for a machine that is busy with it. */
const DRAIN_MS = 2_000;
const DRAIN_MARGIN_MS = 8_000;

export type PodState = 'running' | 'frozen' | 'draining' | 'killed' | 'ended';

export type Pod = {
  readonly name: string;
  readonly layer: string;
  readonly child: Child;
  state: PodState;
  /** The pod's last report, kept when the pod is gone. */
  report: PodRecord['report'];
  /** When that was written, on the store's clock; 0 = none yet. */
  reportedAtMs: number;
};

/** What becomes of pods without the command's doing, and what one has besides the others. */
export type FleetHooks = {
  readonly envOf?: (name: string) => Readonly<Record<string, string>>;
  /** It ended by itself, or did not hand over in time. */
  readonly failed?: (pod: Pod) => void;
  /** Somebody else told it to hand over and end, and it did. */
  readonly drained?: (pod: Pod) => void;
  /** Somebody else killed it while it had cells. */
  readonly killed?: (pod: Pod) => void;
};

export class Fleet {
  readonly pods: Pod[] = [];
  readonly #env: Readonly<Record<string, string>>;
  readonly #prefix: string;
  readonly #hooks: FleetHooks;
  /** Pods that ended though nobody asked them to. */
  readonly failures: string[] = [];
  /** Those of them that were asked to leave and took too long: their leases ended by themselves. */
  readonly late: string[] = [];

  /** `prefix` makes the names of this run's pods differ from those of another. */
  constructor(env: Readonly<Record<string, string>>, prefix: string, hooks: FleetHooks = {}) {
    this.#env = env;
    this.#prefix = prefix;
    this.#hooks = hooks;
  }

  get alive(): Pod[] {
    return this.pods.filter(({ child }) => child.exit === undefined);
  }

  /** Pods that can be killed or frozen: running, and not on their way out. */
  get running(): Pod[] {
    return this.alive.filter(({ state }) => state === 'running');
  }

  /** Starts one more pod of a layer. */
  start(layer: string, env: Readonly<Record<string, string>> = {}): Pod {
    const name = `${this.#prefix}${this.pods.length + 1}`;
    const child = new Child(name, MAIN, {
      PORT: '0',
      LOG_LEVEL: 'warn',
      DRAIN_MS: String(DRAIN_MS),
      ...this.#env,
      ...this.#hooks.envOf?.(name),
      ...env,
      LAYER: layer,
      POD: name,
    });
    const pod: Pod = { name, layer, child, state: 'running', report: {}, reportedAtMs: 0 };
    this.pods.push(pod);
    void child.exited.then((exit) => this.#noteExit(pod, exit));
    return pod;
  }

  #noteExit(pod: Pod, { code, signal }: Exit): void {
    const { name, state } = pod;
    const how = signal ?? `exit code ${code}`;
    const hadCells = pod.report['cells'] !== undefined;
    // A pod that was asked before it could listen has nothing to hand over yet.
    const wasStarting = signal === 'SIGTERM' && !hadCells;
    const wasKilled = state === 'killed' || (signal === 'SIGKILL' && hadCells);
    pod.state = wasKilled && state !== 'draining' ? 'killed' : 'ended';
    if (state === 'draining' && code !== 0 && !wasStarting) {
      this.late.push(`pod ${name} did not hand over in time (${how})`);
      this.#fail(pod, this.late.at(-1) as string);
    } else if (state !== 'draining' && code === 0) {
      this.#hooks.drained?.(pod);
    } else if (state !== 'draining' && !wasKilled) {
      this.#fail(pod, `pod ${name} ended by itself (${how})`);
    } else if (pod.state === 'killed' && state !== 'killed') {
      this.#hooks.killed?.(pod);
    }
  }

  #fail(pod: Pod, what: string): void {
    this.failures.push(what);
    this.#hooks.failed?.(pod);
  }

  kill(pod: Pod): void {
    pod.state = 'killed';
    pod.child.signal('SIGKILL');
  }

  freeze(pod: Pod): void {
    pod.state = 'frozen';
    pod.child.signal('SIGSTOP');
  }

  wake(pod: Pod): void {
    if (pod.state === 'frozen') pod.state = 'running';
    pod.child.signal('SIGCONT');
  }

  note(records: readonly PodRecord[]): void {
    for (const record of records) {
      const pod = this.pods.find(({ name }) => name === record.pod);
      if (pod === undefined) continue;
      pod.report = record.report;
      pod.reportedAtMs = record.seenAtMs;
    }
  }

  /** Asks one pod to hand over and leave. */
  async drain(pod: Pod): Promise<void> {
    if (pod.child.exit !== undefined) return;
    this.wake(pod);
    pod.state = 'draining';
    await pod.child.stop(DRAIN_MS + DRAIN_MARGIN_MS);
  }

  async drainAll(): Promise<void> {
    await Promise.all(this.alive.map((pod) => this.drain(pod)));
  }

  killAll(): void {
    for (const pod of this.alive) this.kill(pod);
  }

  /** At once and without ceremony. */
  async close(): Promise<void> {
    this.killAll();
    await Promise.all(this.pods.map(({ child }) => child.exited));
  }
}
