/** `leasehold event send`, `dead` and `replay`: events to entities, and letters that found nobody. */
import type { Output } from '../output.ts';
import { count, plain, textTable } from '../text-table.ts';
import { posted, tell } from './act.ts';
import { type ApiAddress, openApi } from './api.ts';
import type { Fields } from './values.ts';
import { short } from './words.ts';

export type EventToSend = {
  readonly id: number;
  readonly event: string;
  readonly payload: Fields;
  readonly isWaiting: boolean;
};

type Letter = {
  readonly id: string;
  readonly tick: number;
  readonly to: number;
  readonly from: number;
  readonly event: string;
  readonly payload: Fields;
  readonly reason: string;
  readonly message: string;
};

type Replayed = {
  readonly replayed: number;
  readonly unknown: readonly string[];
  readonly gone: readonly string[];
};

export async function send(
  address: ApiAddress,
  { id, event, payload, isWaiting }: EventToSend,
  output: Output,
): Promise<void> {
  const body = { entity: id, event, payload };
  const { taken, world } = await posted(address, 'POST', '/events', { body, isWaiting });
  const [done, asked] = [`${event} has reached ${id}`, `${event} is on its way to ${id}`];
  tell({ taken, world, done, asked }, output);
}

export async function dead(address: ApiAddress, limit: number, output: Output): Promise<void> {
  const api = await openApi(address);
  const query = [['limit', String(limit)]] as const;
  const { letters } = (await api.ask('GET', '/dead-letters', { query })).body as {
    readonly letters: readonly Letter[];
  };
  output.json({ world: api.world, letters });
  if (letters.length === 0) {
    output.print(`every letter of ${api.world} has found somebody`);
    return;
  }
  const rows = letters.map(({ id, tick, from, to, event, payload, reason }) => {
    const sender = from === 0 ? 'outside' : String(from);
    const texts = [id, String(tick), sender, String(to), event, reason].map(plain);
    return [...texts, short(payload)];
  });
  const title = ['id', 'tick', 'from', 'to', 'event', 'why', 'payload'];
  output.print(textTable([title, ...rows], new Set([0, 4, 5, 6])).join('\n'));
}

/** Returns the exit code: 1 when a letter is unknown, or its entity is still nowhere. */
export async function replay(
  address: ApiAddress,
  ids: readonly string[],
  output: Output,
): Promise<number> {
  const api = await openApi(address);
  const answer = await api.ask('POST', '/dead-letters/replay', { body: { ids } });
  const replayed = answer.body as Replayed;
  output.json({ world: api.world, ...replayed });
  output.print(`${count(replayed.replayed, 'letter')} sent once more`);
  for (const id of replayed.unknown) output.warn(`${plain(id)}: no letter has this id`);
  for (const id of replayed.gone) output.warn(`${plain(id)}: its entity is still nowhere`);
  return replayed.unknown.length + replayed.gone.length === 0 ? 0 : 1;
}
