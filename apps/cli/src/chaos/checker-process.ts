/** The outside checker as the command sees it: a process that is asked, never called. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LeaseholdError } from '@leasehold/kernel';
import { Child } from '../child.ts';
import type { Judged, Seen, Standstill } from './checker.ts';

const MAIN = fileURLToPath(new URL('../checker-main.ts', import.meta.url));
const READY_MS_MAX = 60_000;
/** Reading a large world once, and the fifteen seconds that views may take. */
const JUDGED_MS_MAX = 90_000;
const LOOK_MS = 20;

export class CheckerProcess {
  /** What its clients had seen, a few times a second. */
  readonly seen: Seen[] = [];
  readonly standstills: Standstill[] = [];
  readonly #child: Child;
  readonly #messages = new Map<string, Readonly<Record<string, unknown>>>();

  constructor(env: Readonly<Record<string, string>>) {
    this.#child = new Child('checker', MAIN, env, (message) => {
      const type = String(message['type']);
      if (type === 'seen') this.seen.push(message as unknown as Seen);
      else if (type === 'standstill') this.standstills.push(message as unknown as Standstill);
      else this.#messages.set(type, message);
    });
  }

  /** Resolves once every client sees its area. */
  async ready(): Promise<void> {
    await this.#message('ready', READY_MS_MAX);
  }

  /** Asks for the judgement; the world must be at rest. The process ends with it. */
  async judge(): Promise<Judged> {
    this.#child.send('judge');
    return (await this.#message('judged', JUDGED_MS_MAX)) as unknown as Judged;
  }

  async close(): Promise<void> {
    this.#child.signal('SIGKILL');
    await this.#child.exited;
  }

  async #message(type: string, ms: number): Promise<Readonly<Record<string, unknown>>> {
    const deadlineMs = performance.now() + ms;
    for (;;) {
      const message = this.#messages.get(type);
      if (message !== undefined) return message;
      const fault = this.#messages.get('fault');
      if (fault !== undefined) throw gone(String(fault['message']));
      if (this.#child.exit !== undefined)
        throw gone(`it ended before it said ${type}`, this.#child);
      if (performance.now() > deadlineMs) throw gone(`it did not say ${type}`, this.#child);
      await sleep(LOOK_MS);
    }
  }
}

function gone(what: string, child?: Child): LeaseholdError {
  return new LeaseholdError('POD_FAILED', `the outside checker failed: ${what}`, {
    field: 'checker',
    value: child?.lastWords.join('\n') ?? '',
    remedy: 'Look at its last lines above; do the gateways answer?',
  });
}
