/** How many snapshots a hub shows at once, and that it lets go of them. */
import { LeaseholdError } from '@leasehold/kernel';
import { afterEach, expect, test } from 'vitest';
import { openHub, openView } from './hub-fixture.ts';
import type { PastCells, PastSource } from './past.ts';

let ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  ends = [];
});

/** Empty snapshots by their ids, of so many bytes each; counts how often they are opened. */
class Empty implements PastSource {
  readonly opened: string[] = [];
  readonly #bytes: Readonly<Record<string, number>>;

  constructor(bytes: Readonly<Record<string, number>>) {
    this.#bytes = bytes;
  }

  async list() {
    return Object.keys(this.#bytes).map((id) => ({ id, tick: 1, takenAtMs: 0, entities: 0 }));
  }

  async open(id: string): Promise<PastCells> {
    this.opened.push(id);
    const bytes = this.#bytes[id];
    if (bytes === undefined) {
      const detail = { field: 'snapshot', value: id, remedy: 'Name another.' };
      throw new LeaseholdError('SNAPSHOT_UNKNOWN', `there is no snapshot ${id}`, detail);
    }
    return {
      bytes,
      older: () => undefined,
      load: async (cells) => cells.map((cell) => ({ cell, entries: [] })),
      cellOf: async () => undefined,
    };
  }
}

async function viewOf(past: PastSource) {
  const view = await openView();
  ends.push(() => view.close());
  const hub = openHub(view.world, { snapshotsMax: 2, snapshotBytesMax: 100 }, 'past', { past });
  ends.push(async () => {
    const stop = hub.stop();
    await view.advance(5_000);
    await stop;
  });
  const client = view.join(hub).hello();
  const subscribe = async (id: number, asOf: string) => {
    client.subscribe(id, { kind: 'world' }, { asOf });
    await view.advance(500);
    return client.answers.findLast((answer) => answer['to'] === 'subscribe');
  };
  const leave = async (id: number, ms: number) => {
    client.say({ type: 'unsubscribe', id });
    await view.advance(ms);
  };
  return { hub, client, subscribe, leave };
}

test('so many snapshots are shown at once; one that nobody looks at makes room', async () => {
  const source = new Empty({ a: 1, b: 1, c: 1 });
  const { hub, client, subscribe, leave } = await viewOf(source);
  expect(await subscribe(1, 'a')).toMatchObject({ id: 1, ok: true });
  expect(client.views.get(1)?.live).toBe(1);
  expect(await subscribe(2, 'b')).toMatchObject({ id: 2, ok: true });
  const refused = { ok: false, code: 'LIMIT_EXCEEDED', field: 'snapshotsMax', value: '2' };
  expect(await subscribe(3, 'c')).toMatchObject({ id: 3, ...refused });
  // The one that is open is shared, and kept for a while when it is left.
  expect(await subscribe(4, 'a')).toMatchObject({ id: 4, ok: true });
  await leave(2, 500);
  expect(await subscribe(5, 'b')).toMatchObject({ ok: true });
  expect(source.opened).toEqual(['a', 'b']);
  await leave(5, 0);
  expect(await subscribe(6, 'c')).toMatchObject({ ok: true });
  await leave(6, 40_000);
  expect(await subscribe(7, 'c')).toMatchObject({ ok: true });
  expect(source.opened).toEqual(['a', 'b', 'c', 'c']);
  expect(hub.past.held).toEqual({ open: 2, used: 2, bytes: 2 });
});

test('what all of them take is bounded, and what was refused holds no place', async () => {
  const { hub, client, subscribe, leave } = await viewOf(new Empty({ a: 60, b: 60 }));
  for (const id of [1, 2, 3]) {
    const unknown = { id, ok: false, code: 'SNAPSHOT_UNKNOWN', value: `none-${id}` };
    expect(await subscribe(id, `none-${id}`)).toMatchObject(unknown);
  }
  expect(hub.past.held).toEqual({ open: 0, used: 0, bytes: 0 });
  expect(await subscribe(4, 'a')).toMatchObject({ ok: true });
  const refused = { ok: false, code: 'LIMIT_EXCEEDED', field: 'snapshotBytesMax' };
  expect(await subscribe(5, 'b')).toMatchObject(refused);
  expect(hub.past.held).toEqual({ open: 1, used: 1, bytes: 60 });
  await leave(4, 500);
  expect(hub.past.held).toEqual({ open: 1, used: 0, bytes: 60 });
  expect(await subscribe(6, 'b')).toMatchObject({ ok: true });
  expect(hub.past.held).toEqual({ open: 1, used: 1, bytes: 60 });
  await leave(6, 40_000);
  expect(hub.past.held).toEqual({ open: 0, used: 0, bytes: 0 });
  expect(client.closed).toBeUndefined();
});
