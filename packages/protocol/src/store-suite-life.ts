/** Part of the store suite: ids asked for, whereabouts, answers, letters that found nobody. */
import { expect, test } from 'vitest';
import { DEAD_LETTERS_MAX, type DeadLetter, IDS_PER_CALL_MAX } from './life-store.ts';
import type { RequestAnswer } from './request.ts';
import { hold, type SuiteWorld } from './store-suite-bench.ts';

export function idTests(world: () => SuiteWorld): void {
  test('E2 ids that are asked for are given out once, to many who ask at once', async () => {
    const stores = await Promise.all(['a', 'b', 'c'].map((pod) => world().openStore(pod)));
    const counts = Array.from({ length: 30 }, (_, i) => 1 + ((i * 37) % 100));
    const firsts = await Promise.all(
      counts.map((count, i) => (stores[i % 3] as (typeof stores)[0]).reserveIds(5, count)),
    );
    const given = firsts.flatMap((first, i) =>
      Array.from({ length: counts[i] as number }, (_, j) => first + j),
    );
    expect(new Set(given).size).toBe(given.length);
    expect(Math.min(...given)).toBe(1);
    expect(Math.max(...given)).toBe(given.length);
    expect(await stores[0]?.reserveIds(6, 1)).toBe(1);
  });

  test('E2 asking for ids touches neither lease nor log, nor do commits touch what was asked', async () => {
    const a = await world().openStore('a');
    const b = await world().openStore('b');
    const five = await hold(a, 5, 'a');
    await five.commit({ idCounter: 40 });
    expect(await b.reserveIds(5, IDS_PER_CALL_MAX)).toBe(1);
    await five.commit({ idCounter: 41 });
    expect(await b.reserveIds(5, 1)).toBe(IDS_PER_CALL_MAX + 1);
  });

  test('ids are asked for in a cell that is there, and so many at a time', async () => {
    const a = await world().openStore('a');
    for (const count of [0, -1, 1.5, IDS_PER_CALL_MAX + 1, Number.NaN]) {
      await expect(a.reserveIds(5, count)).rejects.toMatchObject({ code: 'SETTING_INVALID' });
    }
    for (const cell of [-1, world().cells, 0.5]) {
      await expect(a.reserveIds(cell, 1)).rejects.toMatchObject({ code: 'SETTING_INVALID' });
    }
    expect(await a.reserveIds(5, 1)).toBe(1);
    await world().admin.forget();
    await expect(a.reserveIds(5, 1)).rejects.toMatchObject({ code: 'WORLD_NOT_READY' });
  });
}

export function whereaboutsTests(world: () => SuiteWorld): void {
  test('N1 of two notes of an entity the later tick stands, whoever writes it', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const far = 2 ** 52 + 5;
    await a.noteWhereabouts([
      { id: 1, cell: 5, tick: 10 },
      { id: far, cell: 0, tick: 3 },
    ]);
    await b.noteWhereabouts([
      { id: 1, cell: 6, tick: 9 },
      { id: far, cell: 9, tick: 4 },
    ]);
    expect(await a.whereabouts([far, 1, 2, 1])).toEqual([9, 5, undefined, 5]);
    await b.noteWhereabouts([{ id: 1, cell: 7, tick: 10 }]);
    await b.noteWhereabouts([{ id: 1, cell: 8, tick: 11 }]);
    expect(await a.whereabouts([1])).toEqual([8]);
    expect(await a.whereabouts([])).toEqual([]);
    await a.noteWhereabouts([]);
  });

  test('N1 what died is nowhere, and an earlier note does not bring it back', async () => {
    const a = await world().openStore('a');
    await a.noteWhereabouts([{ id: 7, cell: 5, tick: 10 }]);
    await a.noteWhereabouts([{ id: 7, cell: -1, tick: 12 }]);
    expect(await a.whereabouts([7])).toEqual([undefined]);
    await a.noteWhereabouts([{ id: 7, cell: 6, tick: 11 }]);
    expect(await a.whereabouts([7])).toEqual([undefined]);
  });

  test('many notes at once are all there, in any order of asking', async () => {
    const a = await world().openStore('a');
    const notes = Array.from({ length: 20_000 }, (_, i) => ({
      ...{ id: 3 * 2 ** 32 + i * 64, cell: i % world().cells, tick: 1 },
    }));
    await a.noteWhereabouts(notes);
    const found = await a.whereabouts(notes.map(({ id }) => id).reverse());
    expect(found).toEqual(notes.map(({ cell }) => cell).reverse());
  });
}

export function answerTests(world: () => SuiteWorld): void {
  test('L4 of two answers to a request the first one stays', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const applied: RequestAnswer = { tag: 'APPLIED', cell: 5, tick: 7 };
    const refused: RequestAnswer = { tag: 'REFUSED', code: 'ENTITY_GONE', message: 'ü', tick: 8 };
    await a.putAnswers([
      { id: 'x', answer: applied },
      { id: 'y {z}', answer: refused },
    ]);
    await b.putAnswers([{ id: 'x', answer: refused }]);
    expect(await b.answers(['y {z}', 'x', 'w'])).toEqual([refused, applied, undefined]);
    expect(await b.answers([])).toEqual([]);
    await b.putAnswers([]);
  });
}

export function letterTests(world: () => SuiteWorld): void {
  test('L4 a letter that is written again is there once, as it was first, oldest first', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    await a.addDeadLetters([letter(3), letter(1)]);
    await b.addDeadLetters([{ ...letter(3), message: 'other' }, letter(2)]);
    expect(await a.deadLetters(9)).toEqual([letter(1), letter(2), letter(3)]);
    expect(await a.deadLetters(2)).toEqual([letter(1), letter(2)]);
    expect(await a.deadLetters(0)).toEqual([]);
    expect(await b.dropDeadLetters(['5:2:0', '5:9:0'])).toBe(1);
    expect(await b.dropDeadLetters(['5:2:0'])).toBe(0);
    expect(await b.dropDeadLetters([])).toBe(0);
    expect(await a.deadLetters(9)).toEqual([letter(1), letter(3)]);
  });

  test('of too many letters the oldest go', async () => {
    const a = await world().openStore('a');
    const all = Array.from({ length: DEAD_LETTERS_MAX + 70 }, (_, i) => letter(i));
    await a.addDeadLetters(all);
    const kept = await a.deadLetters(DEAD_LETTERS_MAX + 100);
    expect(kept).toHaveLength(DEAD_LETTERS_MAX);
    expect(kept[0]).toEqual(letter(70));
    expect(await a.dropDeadLetters(all.map(({ id }) => id))).toBe(DEAD_LETTERS_MAX);
    expect(await a.deadLetters(9)).toEqual([]);
  });

  test('a world that is forgotten leaves nothing of its entities behind', async () => {
    const a = await world().openStore('a');
    await a.addDeadLetters([letter(1)]);
    await a.putAnswers([{ id: 'x', answer: { tag: 'APPLIED', cell: 5, tick: 7 } }]);
    await a.noteWhereabouts([{ id: 1, cell: 5, tick: 10 }]);
    await world().admin.forget();
    expect(await a.deadLetters(9)).toEqual([]);
    expect(await a.answers(['x'])).toEqual([undefined]);
    expect(await a.whereabouts([1])).toEqual([undefined]);
  });
}

function letter(number: number): DeadLetter {
  return {
    ...{ id: `5:${number}:0`, atMs: 1_800_000_000_000 + number, tick: number, cell: 5 },
    ...{ to: 2 ** 52 + 1, from: 0, event: 'hit', payload: { by: 'ä', points: 3 } },
    ...{ reason: 'GONE', message: 'it is nowhere' },
  };
}
