import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { Output } from '../output.ts';
import { schedule } from './schedule.ts';
import { scheduleWish } from './schedule-command.ts';

test('a schedule is by time or by cron, with what is kept', () => {
  expect(scheduleWish({ every: '10m', keep: '3', daily: '0' })).toEqual({
    act: 'put',
    ...{ everyMs: 600_000, keep: 3, daily: 0 },
  });
  expect(scheduleWish({ cron: '0 3 * * *', timezone: 'Europe/Berlin' })).toEqual({
    act: 'put',
    ...{ pattern: '0 3 * * *', timezone: 'Europe/Berlin' },
  });
  expect(scheduleWish({ show: true })).toEqual({ act: 'show' });
  expect(scheduleWish({ off: true })).toEqual({ act: 'end' });
});

test.each([
  [{}, '--every'],
  [{ every: '10' }, '--every'],
  [{ every: '0s' }, '--every'],
  [{ every: '32d' }, '--every'],
  [{ every: '10m', cron: '* * * * *' }, '--cron'],
  [{ every: '10m', show: true }, '--show'],
  [{ show: true, off: true }, '--off'],
  [{ every: '10m', timezone: 'UTC' }, '--timezone'],
  [{ every: '10m', keep: '-1' }, '--keep'],
])('%o is refused by the name of its flag', (flags, field) => {
  expect(() => scheduleWish(flags)).toThrow(
    expect.objectContaining({
      code: 'SETTING_INVALID',
      detail: expect.objectContaining({ field }),
    }),
  );
});

test('the schedule of a world is put, shown and ended through the API', async () => {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    asked.push(`${request.method} ${request.url} ${body}`.trim());
    const said = { world: 'flights', everyMs: 600_000, keep: 3, nextAt: '2026-01-01T00:00:00Z' };
    response.end(JSON.stringify(said));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const address = { url: `http://127.0.0.1:${port}`, token: '', world: 'flights' };
  const stdout = new PassThrough();
  const output = new Output({ json: false, stdout, stderr: stdout, env: {} });
  for (const flags of [{ every: '10m', keep: '3' }, { show: true }, { off: true }]) {
    await schedule(address, scheduleWish(flags), output);
  }
  const path = '/v1/worlds/flights/snapshot-schedule';
  expect(asked).toEqual([
    `PUT ${path} {"everyMs":600000,"keep":3}`,
    `GET ${path}`,
    `DELETE ${path}`,
  ]);
  expect(String(stdout.read())).toContain('every 600 s, next at 2026-01-01T00:00:00Z; keep 3');
});
