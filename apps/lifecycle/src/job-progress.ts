/** How far a job has come, line by line until it has ended. */
import { setMaxListeners } from 'node:events';
import { systemClock } from '@leasehold/service';
import { isOver, type JobFacts } from './jobs.ts';

const LOOK_MS = 200;
/** A line comes at least so often: a connection that is silent for longer is closed. */
const TELL_MS = 2_000;

/**
 * A line whenever something has changed; the last is that of a job that is over, or what `faulty`
 * makes of an error. Ends when the signal says that nobody listens.
 */
export async function* progressLines(
  first: JobFacts,
  look: () => Promise<JobFacts>,
  faulty: (error: unknown) => object,
  signal: AbortSignal,
): AsyncGenerator<string> {
  setMaxListeners(0, signal);
  let told = JSON.stringify(first);
  let toldAtMs = systemClock.nowMs();
  yield `${told}\n`;
  let facts = first;
  while (!isOver(facts) && !signal.aborted) {
    await systemClock.sleep(LOOK_MS, signal).catch(() => undefined);
    try {
      facts = await look();
    } catch (error) {
      yield `${JSON.stringify(faulty(error))}\n`;
      return;
    }
    const text = JSON.stringify(facts);
    if (text === told && systemClock.nowMs() - toldAtMs < TELL_MS) continue;
    told = text;
    toldAtMs = systemClock.nowMs();
    yield `${text}\n`;
  }
}
