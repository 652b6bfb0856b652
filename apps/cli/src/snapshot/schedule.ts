/** `leasehold snapshot schedule`: snapshots that are taken by themselves, through the API. */
import { type ApiAddress, openApi } from '../entity/api.ts';
import type { Output } from '../output.ts';
import type { ScheduleWish } from './schedule-command.ts';

type Schedule = {
  readonly world: string;
  readonly everyMs?: number;
  readonly pattern?: string;
  readonly timezone?: string;
  readonly keep?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly nextAt?: string;
};

const METHODS = { show: 'GET', end: 'DELETE', put: 'PUT' } as const;

/** Errors: those of `Api`. */
export async function schedule(
  address: ApiAddress,
  wish: ScheduleWish,
  output: Output,
): Promise<void> {
  const api = await openApi(address);
  const { act, ...body } = wish;
  const asked = act === 'put' ? { body } : {};
  const answer = await api.ask(METHODS[act], '/snapshot-schedule', asked);
  const found = answer.body as Schedule;
  output.json(found);
  output.print(act === 'end' ? `${found.world} has no schedule any more` : words(found));
}

function words(schedule: Schedule): string {
  const { world, everyMs, pattern, timezone, nextAt } = schedule;
  const at = timezone === undefined ? pattern : `${pattern} in ${timezone}`;
  const when = everyMs === undefined ? at : `every ${everyMs / 1_000} s`;
  const kept = (['keep', 'hourly', 'daily'] as const).flatMap((name) =>
    schedule[name] === undefined ? [] : [`${name} ${schedule[name]}`],
  );
  const next = nextAt === undefined ? '' : `, next at ${nextAt}`;
  return `${world}: ${when}${next}; ${kept.length === 0 ? 'all are kept' : kept.join(', ')}`;
}
