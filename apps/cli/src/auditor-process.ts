/** The auditor as the command sees it: a process that is asked, never a library that is called. */
import { fileURLToPath } from 'node:url';
import { type ErrorCode, LeaseholdError } from '@leasehold/kernel';
import type { AuditStatus, AuditVerdict } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import { Child } from './child.ts';

const MAIN = fileURLToPath(new URL('../../auditor/src/main.ts', import.meta.url));
/** After a takeover everybody waits for its word. */
const STATUS_MS = 250;
/** Counting a big world takes seconds; more than this means that it hangs. */
const READY_MAX_MS = 60_000;
const VERDICT_MAX_MS = 120_000;

/** What a report is made of. */
export type Verdict = Omit<AuditVerdict, 'type' | 'world' | 'incarnation' | 'blindSpots'>;

export type AuditTarget = {
  readonly redisUrl: string;
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  /** All of the world, in the order of their numbers. */
  readonly layers: readonly string[];
  readonly grid: Grid;
  /** PostgreSQL in which cells sleep; '' = what the environment says. */
  readonly snapshotsUrl: string;
};

export class AuditorProcess {
  readonly #child: Child;
  readonly #messages = new Map<string, Readonly<Record<string, unknown>>>();
  #heard: () => void = () => {};
  status: AuditStatus | undefined;

  constructor({ redisUrl, world, incarnation, layer, layers, grid, snapshotsUrl }: AuditTarget) {
    const env = {
      REDIS_URL: redisUrl,
      WORLD: world,
      INCARNATION: String(incarnation),
      LAYER: layer,
      LAYERS: layers.join(','),
      COLUMNS: String(grid.columns),
      ROWS: String(grid.rows),
      BLOCK_CELLS: String(grid.blockCells),
      STATUS_MS: String(STATUS_MS),
      ...(snapshotsUrl === '' ? {} : { SNAPSHOTS_URL: snapshotsUrl }),
    };
    this.#child = new Child('auditor', MAIN, env, (message) => {
      const type = String(message['type']);
      if (type === 'status') this.status = message as unknown as AuditStatus;
      this.#messages.set(type, message);
      this.#heard();
    });
  }

  /** Resolves when the auditor has counted the world: nothing must tick before that. */
  async ready(): Promise<{ readonly entities: number; readonly tick: number }> {
    const ready = await this.#message('ready', READY_MAX_MS);
    return { entities: Number(ready['entities']), tick: Number(ready['tick']) };
  }

  /** Asks for the last word; the auditor ends with it. */
  async verdict(): Promise<Verdict> {
    this.#child.send('rest');
    const verdict = await this.#message('verdict', VERDICT_MAX_MS);
    await this.#child.stop(5_000);
    return verdict as unknown as Verdict;
  }

  async close(): Promise<void> {
    this.#child.signal('SIGKILL');
    await this.#child.exited;
  }

  async #message(type: string, ms: number): Promise<Readonly<Record<string, unknown>>> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), ms);
    });
    try {
      for (;;) {
        const message = this.#messages.get(type);
        if (message !== undefined) return message;
        const fault = this.#messages.get('fault');
        if (fault !== undefined) throw faultOf(fault);
        if (this.#child.exit !== undefined) throw this.#gone(`ended before it said ${type}`);
        const heard = new Promise<'heard'>((resolve) => {
          this.#heard = () => resolve('heard');
        });
        const next = await Promise.race([heard, late, this.#child.exited]);
        if (next === 'late') throw this.#gone(`did not say ${type} within ${ms / 1000} s`);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #gone(what: string): LeaseholdError {
    const value = this.#child.lastWords.join('\n');
    return new LeaseholdError('POD_FAILED', `the auditor ${what}`, {
      field: 'auditor',
      value,
      remedy: 'Look at its last lines above; is Redis still there?',
    });
  }
}

function faultOf(fault: Readonly<Record<string, unknown>>): LeaseholdError {
  return new LeaseholdError(fault['code'] as ErrorCode, String(fault['message']), {
    field: String(fault['field']),
    value: String(fault['value']),
    remedy: String(fault['remedy']),
  });
}
