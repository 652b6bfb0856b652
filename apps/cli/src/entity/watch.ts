/**
 * `leasehold entity watch`: reads one entity twice a second, and tells it when it has changed. The
 * API says by the entity tag that nothing has, so an entity at rest costs next to nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '@leasehold/kernel';
import { openInterrupt } from '../interrupt.ts';
import type { Output } from '../output.ts';
import { type Answer, type Api, type ApiAddress, type Asked, openApi } from './api.ts';
import { type Entity, entityLine, entityLines } from './words.ts';

const LOOK_MS = 500;
/** One that was seen to answer is being replaced: longer than that takes. */
const AWAY_MS_MAX = 15_000;

export type EntityWatch = {
  readonly id: number;
  readonly components: readonly string[];
  /** 0 = until told to stop. */
  readonly seconds: number;
};

/** Returns when told to, or when the time is over. Errors: `ENTITY_UNKNOWN` once it is gone. */
export async function watch(
  address: ApiAddress,
  { id, components, seconds }: EntityWatch,
  output: Output,
): Promise<void> {
  const end = new AbortController();
  const interrupt = openInterrupt(
    () => end.abort(),
    () => undefined,
  );
  // As `| head` does: whoever read this has gone.
  const gone = (): void => end.abort();
  process.stdout.on('error', gone);
  try {
    const api = await openApi(address);
    const untilMs = seconds > 0 ? performance.now() + seconds * 1000 : Number.POSITIVE_INFINITY;
    const query: Asked['query'] =
      components.length === 0 ? [] : [['components', components.join(',')]];
    let tag = '';
    while (!end.signal.aborted && performance.now() < untilMs) {
      const headers: Readonly<Record<string, string>> = tag === '' ? {} : { 'if-none-match': tag };
      const asked = { query, headers };
      const answer = await patiently(api, `/entities/${id}`, asked, { end, isKnown: tag !== '' });
      if (answer === undefined) return;
      ({ tag } = answer);
      if (answer.status !== 304) show(api.world, answer.body as Entity, output);
      const waitMs = Math.max(1, Math.min(LOOK_MS, untilMs - performance.now()));
      await sleep(waitMs, undefined, { signal: end.signal }).catch(() => undefined);
    }
  } finally {
    output.clear();
    interrupt.close();
    process.stdout.off('error', gone);
  }
}

/** Asks again for as long as a service takes to be replaced; undefined: nobody wants to know. */
async function patiently(
  api: Api,
  path: string,
  asked: Asked,
  { end, isKnown }: { readonly end: AbortController; readonly isKnown: boolean },
): Promise<Answer | undefined> {
  const deadlineMs = performance.now() + AWAY_MS_MAX;
  for (;;) {
    try {
      return await api.ask('GET', path, asked);
    } catch (error) {
      const isAway = hasCode(error, 'API_UNREACHABLE') || hasCode(error, 'REDIS_UNREACHABLE');
      if (!isKnown || !isAway || performance.now() > deadlineMs) throw error;
      await sleep(LOOK_MS, undefined, { signal: end.signal }).catch(() => undefined);
      if (end.signal.aborted) return undefined;
    }
  }
}

function show(world: string, entity: Entity, output: Output): void {
  output.jsonLine({ world, ...entity });
  if (output.isLive) output.live(entityLines(world, entity, output.colors));
  else output.print(entityLine(entity));
}
