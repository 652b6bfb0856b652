/** Part of the store suite: who leads, plans and their journal, loads, orders. */
import { expect, test } from 'vitest';
import type { Interest } from './interest.ts';
import type { CellLoad, Decision, LoadSample, Plan, Region } from './plan.ts';
import { hold, LONG_MS, type SuiteWorld } from './store-suite-bench.ts';

export function leadTests(world: () => SuiteWorld): void {
  test('P1 one leads at a time; the term rises when another begins to', async () => {
    const [a, b] = [await world().openPlans('a'), await world().openPlans('b')];
    const { ttlMs } = world();
    expect(await a.lead('a', ttlMs)).toMatchObject({ tag: 'LEADING', term: 1 });
    const refused = await b.lead('b', ttlMs);
    expect(refused).toMatchObject({ tag: 'FOLLOWING', leader: 'a' });
    if (refused.tag !== 'FOLLOWING') throw new Error('unreachable');
    expect(refused.retryInMs).toBeGreaterThan(0);
    expect(refused.retryInMs).toBeLessThanOrEqual(ttlMs);
    expect(await a.lead('a', ttlMs)).toMatchObject({ tag: 'LEADING', term: 1 });
    await world().advance(ttlMs + 50);
    expect(await b.lead('b', ttlMs)).toMatchObject({ tag: 'LEADING', term: 2 });
    expect(await a.lead('a', ttlMs)).toMatchObject({ tag: 'FOLLOWING', leader: 'b' });
    await world().advance(ttlMs + 50);
    expect(await b.lead('b', LONG_MS)).toMatchObject({ tag: 'LEADING', term: 2 });
    const lead = await b.lead('b', LONG_MS);
    expect(Math.abs((lead.tag === 'LEADING' ? lead.nowMs : 0) - b.nowMs())).toBeLessThan(1_000);
  });

  test('P1 of many who ask at once one leads', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `racer-${i}`);
    const stores = await Promise.all(names.map((name) => world().openPlans(name)));
    for (let round = 1; round <= 3; round++) {
      const replies = await Promise.all(stores.map((of, i) => of.lead(names[i] as string, 60_000)));
      const leading = replies.findIndex(({ tag }) => tag === 'LEADING');
      expect(replies.filter(({ tag }) => tag === 'LEADING')).toMatchObject([{ term: round }]);
      const others = replies.filter((_, i) => i !== leading);
      const leader = names[leading] as string;
      for (const reply of others) expect(reply).toMatchObject({ tag: 'FOLLOWING', leader });
      await stores[leading]?.resign(leader);
    }
  });

  test('P1 who resigns leaves the lead to the next; who does not lead resigns nothing', async () => {
    const [a, b] = [await world().openPlans('a'), await world().openPlans('b')];
    await a.lead('a', LONG_MS);
    await b.resign('b');
    expect(await b.lead('b', LONG_MS)).toMatchObject({ tag: 'FOLLOWING', leader: 'a' });
    await a.resign('a');
    expect(await b.lead('b', LONG_MS)).toMatchObject({ tag: 'LEADING', term: 2 });
    await a.resign('a');
    expect(await a.lead('a', LONG_MS)).toMatchObject({ tag: 'FOLLOWING', leader: 'b' });
  });

  test('P1 a lead has a name and an end', async () => {
    const a = await world().openPlans('a');
    for (const name of ['', 'a b', 'a.b', 'x'.repeat(65)]) {
      await expect(a.lead(name, LONG_MS)).rejects.toMatchObject({ code: 'NAME_INVALID' });
    }
    for (const ttlMs of [0, -1, 1.5, 60_001, Number.NaN]) {
      await expect(a.lead('a', ttlMs)).rejects.toMatchObject({ code: 'SETTING_INVALID' });
    }
  });
}

export function planTests(world: () => SuiteWorld): void {
  test('P2 plans follow each other, and are read as they were written', async () => {
    const [a, b] = [await world().openPlans('a'), await world().openPlans('b')];
    const pod = await world().openStore('pod');
    for (const of of [a, b, pod]) expect(await of.plan()).toBeUndefined();
    await a.lead('a', LONG_MS);
    for (const version of [1, 2, 3]) {
      expect(await a.writePlan('a', planOf(version), [])).toEqual({ tag: 'OK' });
      for (const of of [a, b, pod]) expect(await of.plan()).toEqual(planOf(version));
    }
    for (const of of [b, pod]) expect(await of.plan()).toBe(await of.plan());
  });

  test('P2 a plan that does not follow the stored one is BEHIND and changes nothing', async () => {
    const a = await world().openPlans('a');
    await a.lead('a', LONG_MS);
    expect(await a.writePlan('a', planOf(2), [MOVE])).toEqual({ tag: 'BEHIND', version: 0 });
    await a.writePlan('a', planOf(1), []);
    await a.writePlan('a', planOf(2), []);
    for (const version of [1, 2, 4, 1_000]) {
      const reply = await a.writePlan('a', planOf(version, 'other'), [MOVE]);
      expect(reply).toEqual({ tag: 'BEHIND', version: 2 });
    }
    expect(await a.plan()).toEqual(planOf(2));
    expect(await a.journal('', 10)).toEqual([]);
  });

  test('P1 a plan of who does not lead is DEPOSED and changes nothing', async () => {
    const [a, b] = [await world().openPlans('a'), await world().openPlans('b')];
    const { ttlMs } = world();
    expect(await a.writePlan('a', planOf(1), [MOVE])).toEqual({ tag: 'DEPOSED', leader: '' });
    await a.lead('a', ttlMs);
    expect(await b.writePlan('b', planOf(1), [MOVE])).toEqual({ tag: 'DEPOSED', leader: 'a' });
    // Whoever takes another's name does not have its term.
    expect(await b.writePlan('a', planOf(1), [MOVE])).toEqual({ tag: 'DEPOSED', leader: 'a' });
    await world().advance(ttlMs + 50);
    expect(await a.writePlan('a', planOf(1), [MOVE])).toEqual({ tag: 'DEPOSED', leader: '' });
    await b.lead('b', LONG_MS);
    expect(await a.writePlan('a', planOf(1), [MOVE])).toEqual({ tag: 'DEPOSED', leader: 'b' });
    expect(await a.plan()).toBeUndefined();
    expect(await a.journal('', 10)).toEqual([]);
    expect(await b.writePlan('b', planOf(1), [MOVE])).toEqual({ tag: 'OK' });
    await b.resign('b');
    expect(await b.writePlan('b', planOf(2), [MOVE])).toEqual({ tag: 'DEPOSED', leader: '' });
  });

  test('P1 a term that ended meanwhile is over for who leads again', async () => {
    const [a, old, b] = await Promise.all(['a', 'a', 'b'].map((name) => world().openPlans(name)));
    if (!a || !old || !b) throw new Error('unreachable');
    await old.lead('a', LONG_MS);
    await a.resign('a');
    await b.lead('b', LONG_MS);
    await b.resign('b');
    expect(await a.lead('a', LONG_MS)).toMatchObject({ tag: 'LEADING', term: 3 });
    expect(await old.writePlan('a', planOf(1), [])).toEqual({ tag: 'DEPOSED', leader: 'a' });
    expect(await a.writePlan('a', planOf(1), [])).toEqual({ tag: 'OK' });
  });

  test('L4 a plan that is written again is OK, and stands once in the journal', async () => {
    const a = await world().openPlans('a');
    await a.lead('a', LONG_MS);
    for (let i = 0; i < 3; i++) {
      expect(await a.writePlan('a', planOf(1), [MOVE, SPLIT])).toEqual({ tag: 'OK' });
    }
    expect(await a.journal('', 10)).toHaveLength(2);
  });

  test('P3 the journal tells what led to each plan, from where one stopped', async () => {
    const a = await world().openPlans('a');
    await a.lead('a', LONG_MS);
    await a.writePlan('a', planOf(1), [SPLIT]);
    await a.writePlan('a', planOf(2), []);
    await a.writePlan('a', planOf(3), [MOVE, { ...MOVE, cause: '“ünder” load\n' }]);
    const all = await a.journal('', 10);
    expect(all).toMatchObject([
      { ...SPLIT, version: 1 },
      { ...MOVE, version: 3 },
      { ...MOVE, version: 3, cause: '“ünder” load\n' },
    ]);
    for (const { atMs } of all) expect(Math.abs(atMs - a.nowMs())).toBeLessThan(5_000);
    expect(await a.journal('', 2)).toEqual(all.slice(0, 2));
    expect(await a.journal(all[0]?.id ?? '', 1)).toEqual(all.slice(1, 2));
    expect(await a.journal(all[2]?.id ?? '', 10)).toEqual([]);
    expect(await a.journal(`${(all[0]?.atMs ?? 0) - 1}-0`, 10)).toEqual(all);
    expect(await a.journal('', 0)).toEqual([]);
  });

  test('PLAN_INVALID is what cannot be stored; nothing of it is', async () => {
    const a = await world().openPlans('a');
    await a.lead('a', LONG_MS);
    const wrong: [Plan, readonly Decision[]][] = [
      [{ ...planOf(1), atMs: Number.NaN }, []],
      [planOf(0), []],
      [planOf(1), Array.from({ length: 1_001 }, () => MOVE)],
    ];
    for (const [plan, decisions] of wrong) {
      const writing = a.writePlan('a', plan, decisions);
      await expect(writing).rejects.toMatchObject({ code: 'PLAN_INVALID' });
    }
    expect(await a.plan()).toBeUndefined();
    const thousand = Array.from({ length: 1_000 }, () => MOVE);
    expect(await a.writePlan('a', planOf(1), thousand)).toEqual({ tag: 'OK' });
    expect(await a.journal('', 2_000)).toHaveLength(1_000);
  });

  test('pods hear that there is a new plan', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const plans = await world().openPlans('authority');
    const heard: string[] = [];
    await a.announce('a', 41, (message) => heard.push(`a ${message}`));
    await b.announce('b', 42, (message) => heard.push(`b ${message}`));
    await plans.lead('authority', LONG_MS);
    await plans.writePlan('authority', planOf(1), []);
    // What is not written is not told.
    await plans.writePlan('authority', planOf(7), []);
    for (let i = 0; i < 100 && heard.length < 2; i++) await world().advance(10);
    expect(heard.sort()).toEqual(['a {"plan":1}', 'b {"plan":1}']);
  });

  test('nothing is left of the plans of a world that is forgotten', async () => {
    const [plans, pod] = [await world().openPlans('a'), await world().openStore('pod')];
    await pod.announce('pod', 41, () => undefined);
    await pod.reportLoad([{ cell: 1, tickMs: 1, entities: 1 }]);
    await plans.lead('a', LONG_MS);
    await plans.writePlan('a', planOf(1), [MOVE]);
    await plans.recordLoads('a', { atMs: 1, pods: [] });
    await plans.order('pod', 'drain');
    await world().admin.forget();
    expect(await plans.plan()).toBeUndefined();
    expect(await plans.journal('', 10)).toEqual([]);
    expect(await plans.recordedLoads(0)).toEqual([]);
    expect((await plans.loads()).size).toBe(0);
    expect((await plans.orders()).size).toBe(0);
    expect(await plans.lead('b', LONG_MS)).toMatchObject({ tag: 'LEADING', term: 1 });
  });
}

export function loadTests(world: () => SuiteWorld): void {
  const load = (cell: number, tickMs: number, entities: number): CellLoad => {
    return { cell, tickMs, entities };
  };

  test('what a pod says of its load replaces what it said before, and goes with it', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const plans = await world().openPlans('authority');
    expect(await plans.loads()).toEqual(new Map());
    await a.reportLoad([load(1, 1, 1)]);
    expect(await plans.loads()).toEqual(new Map());
    await a.announce('a', 41, () => undefined);
    await b.announce('b', 42, () => undefined);
    await a.reportLoad([load(9, 2.5, 100), load(3, 0.25, 7)]);
    await b.reportLoad([]);
    const said = [load(3, 0.25, 7), load(9, 2.5, 100)];
    expect([...(await plans.loads())]).toEqual([
      ['a', said],
      ['b', []],
    ]);
    await a.reportLoad([load(4, 8, 8)]);
    expect((await plans.loads()).get('a')).toEqual([load(4, 8, 8)]);
    await a.close();
    expect([...(await plans.loads()).keys()]).toEqual(['b']);
  });

  test('what a pod says is passed on, whatever it is', async () => {
    const a = await world().openStore('a');
    const plans = await world().openPlans('authority');
    await a.announce('a', 41, () => undefined);
    await a.reportLoad([load(1, Number.NaN, -5), load(2, 2 ** 40, Number.NEGATIVE_INFINITY)]);
    expect((await plans.loads()).get('a')).toEqual([
      load(1, Number.NaN, -5),
      load(2, 2 ** 40, Number.NEGATIVE_INFINITY),
    ]);
    const whole = Array.from({ length: 10_000 }, (_, cell) => load(cell, cell / 1024, cell));
    await a.reportLoad(whole);
    expect((await plans.loads()).get('a')).toEqual(whole);
  });

  test('which cells were ever written is known, whoever holds them', async () => {
    const [store, plans] = [await world().openStore('a'), await world().openPlans('a')];
    await (await hold(store, 5, 'a')).commit();
    await hold(store, 6, 'a');
    const written = await plans.written();
    expect([written.length, written[5], written[6], written[7]]).toEqual([
      ...[world().cells, 1, 0, 0],
    ]);
  });

  test('what gateways and orders want awake is kept until it ends, each by its name', async () => {
    const [a, b] = [await world().openPlans('a'), await world().openPlans('b')];
    expect(await a.interests()).toEqual(new Map());
    const untilMs = a.nowMs() + LONG_MS;
    const seen: Interest = { kind: 'view', untilMs, runs: [[1, 2, 3]] };
    const ordered: Interest = {
      kind: 'order',
      untilMs,
      runs: [
        [5, 1, 0],
        [9, 4, 0],
      ],
    };
    await a.putInterest('gateway-1', { ...seen, runs: [[0, 1, 1]] });
    await a.putInterest('gateway-1', seen);
    await a.putInterest('order-x', ordered);
    await a.putInterest('gone', { ...seen, untilMs: a.nowMs() - 1 });
    const kept = await b.interests();
    expect(new Map([...kept].sort())).toEqual(
      new Map([
        ['gateway-1', { ...seen, untilMs: Math.floor(untilMs) }],
        ['order-x', { ...ordered, untilMs: Math.floor(untilMs) }],
      ]),
    );
    await b.putInterest('gateway-1', { ...seen, runs: [] });
    expect([...(await a.interests()).keys()]).toEqual(['order-x']);
  });

  test.each([
    ['a b', {}, 'NAME_INVALID'],
    ['g', { untilMs: Number.NaN }, 'SETTING_INVALID'],
    ['g', { untilMs: 1e15 }, 'SETTING_INVALID'],
    ['g', { runs: [[3, 0, 1]] }, 'SETTING_INVALID'],
    [
      'g',
      {
        runs: [
          [3, 2, 1],
          [4, 1, 1],
        ],
      },
      'SETTING_INVALID',
    ],
    ['g', { runs: [[0.5, 1, 1]] }, 'SETTING_INVALID'],
    ['g', { runs: Array.from({ length: 20_001 }, (_, i) => [2 * i, 1, 0]) }, 'LIMIT_EXCEEDED'],
  ] as const)(
    'an interest of %s that cannot be is refused before it is sent (case %#)',
    async (name, wrong, code) => {
      const plans = await world().openPlans('a');
      const right = { kind: 'view', untilMs: plans.nowMs() + 1_000, runs: [[0, 1, 1]] } as const;
      const interest = { ...right, ...wrong } as Interest;
      await expect(plans.putInterest(name, interest)).rejects.toMatchObject({ code });
      expect((await plans.interests()).size).toBe(0);
    },
  );

  test('P1 samples are kept in order, of who leads', async () => {
    const [a, b] = [await world().openPlans('a'), await world().openPlans('b')];
    const sample = (atMs: number): LoadSample => ({
      atMs,
      pods: [
        { pod: 'x', state: 'ready', order: 'cordon', cells: [load(1, atMs, 4), load(2, 1, 1)] },
      ],
    });
    await a.recordLoads('a', sample(1));
    await a.lead('a', LONG_MS);
    await b.recordLoads('b', sample(1));
    expect(await b.recordedLoads(0)).toEqual([]);
    for (const atMs of [2, 3]) await a.recordLoads('a', sample(atMs));
    await world().advance(50);
    const { nowMs } = (await a.lead('a', LONG_MS)) as { nowMs: number };
    await world().advance(2);
    await a.recordLoads('a', sample(4));
    expect(await b.recordedLoads(0)).toEqual([2, 3, 4].map(sample));
    expect(await b.recordedLoads(nowMs)).toEqual([sample(4)]);
    expect(await b.recordedLoads(nowMs + 60_000)).toEqual([]);
  });
}

export function orderTests(world: () => SuiteWorld): void {
  test('a pod hears what people ask of it, and it is known until they take it back', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const plans = await world().openPlans('cli');
    const heard: string[] = [];
    await a.announce('a', 41, (message) => heard.push(message));
    await b.announce('b', 42, () => undefined);
    expect(await plans.orders()).toEqual(new Map());
    await plans.order('a', 'cordon');
    await plans.order('b', 'drain');
    expect(await plans.orders()).toEqual(new Map([...Object.entries({ a: 'cordon', b: 'drain' })]));
    await a.report('ready', {});
    for (let i = 0; i < 100 && heard.length === 0; i++) await world().advance(10);
    expect(new Set(heard)).toEqual(new Set(['{"order":"cordon"}']));
    await plans.order('a', '');
    await a.report('ready', {});
    for (let i = 0; i < 100 && !heard.includes('{"order":""}'); i++) await world().advance(10);
    expect(heard.at(-1)).toBe('{"order":""}');
    expect([...(await plans.orders()).keys()]).toEqual(['b']);
  });

  test('what was asked of a pod, and what it said, goes with it', async () => {
    const a = await world().openStore('a');
    const plans = await world().openPlans('cli');
    await a.announce('a', 41, () => undefined);
    await plans.order('a', 'drain');
    await a.reportLoad([{ cell: 1, tickMs: 1, entities: 1 }]);
    await a.close();
    // Another process of the same name, before anybody has looked.
    const next = await world().openStore('a');
    await next.announce('a', 43, () => undefined);
    expect(await plans.orders()).toEqual(new Map());
    expect(await plans.loads()).toEqual(new Map());
  });

  test('POD_UNKNOWN is said of a pod that is not there', async () => {
    const plans = await world().openPlans('cli');
    for (const order of ['drain', 'cordon', ''] as const) {
      await expect(plans.order('nobody', order)).rejects.toMatchObject({ code: 'POD_UNKNOWN' });
    }
    expect(await plans.orders()).toEqual(new Map());
  });
}

function planOf(version: number, pod = 'a'): Plan {
  const region = (id: number, column: number): Region => ({
    id,
    rect: { column, row: 0, columns: 4, rows: 8 },
    pod,
    standby: 'ä',
    edges: [{ side: 'east', region: 3 - id, pod, cells: 8 }],
  });
  return { version, atMs: 1_800_000_000_000, regions: [region(1, 0), region(2, 4)], asleep: [] };
}

const MOVE: Decision = {
  kind: 'move',
  cause: 'b is empty',
  regions: [1],
  cells: 32,
  before: { a: 31.5, b: 0 },
  expected: { a: 16, b: 15.5 },
};
const SPLIT: Decision = { ...MOVE, kind: 'split', cause: 'a is over its budget', regions: [1, 2] };
