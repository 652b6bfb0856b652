import { LeaseholdError } from '@leasehold/kernel';
import { expect, test } from 'vitest';
import { openLog } from './index.ts';

function capture() {
  const lines: string[] = [];
  const to = { write: (line: string) => void lines.push(line) };
  return { to, read: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test('a log line is one JSON object with time, level by name, service, process and facts', () => {
  const { to, read } = capture();
  openLog({ name: 'pod', to }).info({ cells: 3 }, 'claimed');
  const [line] = read();
  expect(line).toMatchObject({ level: 'info', service: 'pod', cells: 3, msg: 'claimed' });
  expect(line?.['pid']).toBe(process.pid);
  expect(line?.['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
});

test('an error is logged with its code, detail, cause and stack', () => {
  const { to, read } = capture();
  const detail = { field: 'PORT', value: '1', remedy: 'Use another.' };
  const error = new LeaseholdError('PORT_IN_USE', 'taken', detail, { cause: new Error('below') });
  openLog({ name: 'pod', to }).error({ err: error }, 'failed');
  const err = read()[0]?.['err'] as Record<string, unknown>;
  expect(err).toMatchObject({ code: 'PORT_IN_USE', detail });
  expect(err['stack']).toContain('below');
});

test('what is below the level is not said, and a level that is none is refused', () => {
  const { to, read } = capture();
  const log = openLog({ name: 'pod', level: 'warn', to });
  log.info('quiet');
  log.warn('loud');
  expect(read().map(({ msg }) => msg)).toEqual(['loud']);
  expect(() => openLog({ name: 'pod', level: 'chatty' })).toThrow(
    expect.objectContaining({ code: 'SETTING_INVALID' }),
  );
});
