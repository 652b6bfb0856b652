import { expect, test } from 'vitest';
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
