/** What happened in a run: a hash of all of it, counts, and, when asked for, the lines themselves. */
import { saltOf } from '@leasehold/kernel';
import type { VirtualTime } from './virtual-time.ts';

/** Lines kept of a run that is read by people; the oldest are dropped. */
const LINES_MAX = 20_000;

/** `call` lines are many; `fault` lines count as faults. */
export type LineKind = 'call' | 'fault' | 'event' | 'log';

export class Trace {
  readonly faults = new Map<string, number>();
  readonly lines: string[] = [];
  calls = 0;
  readonly #time: VirtualTime;
  readonly #keeps: ReadonlySet<LineKind>;
  #hash = 0x811c9dc5;

  constructor(time: VirtualTime, keeps: readonly LineKind[]) {
    this.#time = time;
    this.#keeps = new Set(keeps);
  }

  /** A call to the store was done. */
  call(who: string, what: string): void {
    this.calls++;
    this.note('call', who, what);
  }

  note(kind: LineKind, who: string, what: string): void {
    this.#mix(Math.round(this.#time.nowMs * 1_000));
    this.#mix(saltOf(who));
    this.#mix(saltOf(what));
    if (!this.#keeps.has(kind)) return;
    const at = (this.#time.nowMs / 1_000).toFixed(4).padStart(9);
    this.lines.push(`${at} ${kind.padEnd(5)} ${who.padEnd(10)} ${what}`);
    if (this.lines.length > LINES_MAX) this.lines.shift();
  }

  /** One more fault of this kind was made to happen. */
  fault(kind: string, who: string, what = ''): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
    // What happens to every call is not worth a line of its own.
    this.note(what === '' && kind === 'reorder' ? 'call' : 'fault', who, `${kind} ${what}`.trim());
  }

  #mix(word: number): void {
    const mixed = Math.imul(this.#hash ^ (word | 0), 0x01000193);
    this.#hash = (mixed ^ (mixed >>> 15)) >>> 0;
  }

  get hash(): string {
    return this.#hash.toString(16).padStart(8, '0');
  }
}
