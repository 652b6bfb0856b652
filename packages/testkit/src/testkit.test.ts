import { describe, expect, test } from 'vitest';
import { eventually, faultSchedule, spawnNode } from './index.ts';

describe('a fault schedule', () => {
  const plan = {
    durationMs: 60_000,
    kinds: { kill: { everyMs: 5_000 }, stop: { everyMs: 8_000, forMs: [100, 900] as const } },
  };

  test('the same seed gives the same faults, another seed others', () => {
    expect(faultSchedule(7, plan)).toEqual(faultSchedule(7, plan));
    expect(faultSchedule(7, plan)).not.toEqual(faultSchedule(8, plan));
  });

  test('faults come in order of time, within the duration, about as often as asked', () => {
    const faults = faultSchedule(1, { ...plan, durationMs: 6_000_000 });
    expect(faults.every(({ atMs }, i) => atMs >= (faults[i - 1]?.atMs ?? 0))).toBe(true);
    expect(Math.max(...faults.map(({ atMs }) => atMs))).toBeLessThan(6_000_000);
    const kills = faults.filter(({ kind }) => kind === 'kill');
    expect(kills.length).toBeGreaterThan(1_050);
    expect(kills.length).toBeLessThan(1_350);
    expect(kills.every(({ forMs }) => forMs === 0)).toBe(true);
  });
});

describe('a spawned process', () => {
  const script = `
    process.on('SIGTERM', () => process.exit(3));
    console.log(JSON.stringify({ msg: 'ready', port: 7 }));
    console.log('plain words');
    setInterval(() => {}, 1_000);
  `;

  test('its lines are read as JSON or as text, and it ends as it says', async () => {
    const child = spawnNode(['-e', script]);
    expect(await child.waitFor((line) => line['msg'] === 'ready')).toMatchObject({ port: 7 });
    expect(await child.waitFor((line) => line['text'] !== undefined)).toEqual({
      text: 'plain words',
    });
    expect(await child.stop()).toEqual({ code: 3, signal: null });
  });

  test('waiting ends when the process does, and shows what it said', async () => {
    const child = spawnNode(['-e', 'console.error("no luck"); process.exit(1)']);
    await expect(child.waitFor(() => false)).rejects.toThrow(/ended \(1\).*\n.*no luck/s);
  });
});

test('a claim that stays false is reported with its source', async () => {
  await expect(eventually(() => 1 > 2, 30)).rejects.toThrow('1 > 2');
});
