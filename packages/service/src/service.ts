/**
 * The frame of a process: opens its parts, waits, and closes them in reverse when it is told to
 * end.
 *
 *   starting ──work returns──► running ──SIGTERM, SIGINT, end()──► draining ──► exit 0
 *      │ work throws               │ uncaught error                   │ deadline, or a part that
 *      ▼                           ▼                                  ▼ cannot close
 *   drain, exit 1               exit 1 at once                      exit 1
 *
 * A second signal exits at once. Nothing here knows what a service does.
 */
import { constants } from 'node:os';
import { faultReport } from '@leasehold/kernel';
import { systemClock } from './clock.ts';
import { type Log, openLog } from './log.ts';

/** What `parts.use` takes: whatever can be closed, in one of the three usual ways. */
export type Part =
  | { close(): unknown }
  | { [Symbol.asyncDispose](): PromiseLike<void> }
  | { [Symbol.dispose](): void };

/** Kubernetes kills after 30 s; a service that wants longer says so. */
const DRAIN_MS_DEFAULT = 10_000;
const ALIVE_MS = 2 ** 30;

export class Parts {
  /** How long closing may take, from the moment the service is told to end. */
  drainMs = DRAIN_MS_DEFAULT;
  readonly #opened: Part[] = [];
  readonly #ending = new AbortController();
  #isClosed = false;

  /** Aborts when the service is told to end, before anything is closed. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Takes a part into care: it is closed after everything that was opened later. Returns it. */
  use<T extends Part>(part: T): T {
    // Opened while the others were already closed: nobody would close it.
    if (this.#isClosed) void closePart(part);
    else this.#opened.push(part);
    return part;
  }

  /** Ends the service as a signal would. */
  end(cause: string): void {
    if (!this.signal.aborted) this.#ending.abort(cause);
  }

  /** Ends the service when standard input does: whoever started it is gone. */
  endWithInput(): void {
    const end = (): void => this.end('standard input ended');
    process.stdin.once('end', end).once('error', end).resume();
    this.use({
      close: () => {
        process.stdin.destroy();
      },
    });
  }

  /** Closes everything in reverse; goes on when a part fails, and returns what they threw. */
  async close(): Promise<unknown[]> {
    const faults: unknown[] = [];
    for (let part = this.#opened.pop(); part !== undefined; part = this.#opened.pop()) {
      try {
        await closePart(part);
      } catch (error) {
        faults.push(error);
      }
    }
    this.#isClosed = true;
    return faults;
  }
}

async function closePart(part: Part): Promise<void> {
  if ('close' in part) await part.close();
  else if (Symbol.asyncDispose in part) await part[Symbol.asyncDispose]();
  else part[Symbol.dispose]();
}

/**
 * Runs a service until it is told to end, and then ends the process: with code 0 after a clean
 * drain, 1 after a failure, 128 + the signal's number after a second signal.
 *
 * `work` opens the parts and returns; the service goes on without it. If it throws, what it had
 * opened is closed and the error is logged with its code and remedy.
 */
export async function runService(
  name: string,
  work: (parts: Parts, log: Log) => Promise<void>,
): Promise<void> {
  const log = openLog({ name });
  const parts = new Parts();
  endOnSignals(parts, log);
  exitOnUncaught(log);
  const ended = new Promise<void>((resolve) => {
    parts.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  // Neither a promise nor a signal handler keeps a process alive.
  const alive = setInterval(() => undefined, ALIVE_MS);
  let code = 0;
  const working = work(parts, log).catch((error: unknown) => {
    // What a stopping service could not start is no failure.
    if (parts.signal.aborted) return;
    code = 1;
    log.fatal({ err: error, fault: faultReport(error) }, 'the service could not start');
    parts.end('failed to start');
  });
  await ended;
  clearInterval(alive);
  log.info({ cause: String(parts.signal.reason), drainMs: parts.drainMs }, 'draining');
  const isDrained = await withinDeadline(parts.drainMs, async () => {
    await working;
    const faults = await parts.close();
    for (const error of faults) log.error({ err: error }, 'a part could not be closed');
    if (faults.length > 0) code = 1;
  });
  if (!isDrained) {
    log.error({ drainMs: parts.drainMs }, 'not drained in time');
    code = 1;
  }
  log.info({ code }, 'ended');
  process.exit(code);
}

/** Whether the work was over in time. */
async function withinDeadline(ms: number, work: () => Promise<void>): Promise<boolean> {
  const over = new AbortController();
  const late = systemClock.sleep(ms, over.signal).then(() => false);
  const isDone = await Promise.race([work().then(() => true), late]);
  over.abort();
  return isDone;
}

function endOnSignals(parts: Parts, log: Log): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!parts.signal.aborted) {
        parts.end(signal);
        return;
      }
      log.warn({ signal }, 'told twice: leaving at once');
      process.exit(128 + constants.signals[signal]);
    });
  }
}

/** After an error that nobody caught, no state can be trusted; leases make leaving safe. */
function exitOnUncaught(log: Log): void {
  const leave = (error: unknown): void => {
    log.fatal({ err: error, fault: faultReport(error) }, 'uncaught error');
    process.exit(1);
  };
  process.on('uncaughtException', leave);
  process.on('unhandledRejection', leave);
}
