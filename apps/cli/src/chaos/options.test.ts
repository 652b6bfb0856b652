import { describe, expect, test } from 'vitest';
import { FAULT_KINDS } from './faults.ts';
import { type ChaosFlags, chaosOptions } from './options.ts';

const options = (flags: ChaosFlags) => chaosOptions('world', flags);

describe('flags of chaos', () => {
  test('without flags every fault is done for a minute, watched by eight clients', () => {
    expect(options({})).toMatchObject({
      pods: 4,
      gateways: 1,
      clients: 8,
      seconds: 60,
      ticks: 0,
      isLockstep: false,
      seed: 1,
      authorities: 0,
      faults: FAULT_KINDS.filter((kind) => kind !== 'authority'),
      reportFolder: '',
    });
  });

  test('minutes and seconds say the same', () => {
    expect(options({ minutes: '2' }).seconds).toBe(120);
    expect(options({ seconds: '2.5' }).seconds).toBe(2.5);
  });

  test('faults are taken by name, each once', () => {
    expect(options({ faults: 'stop, kill,kill' }).faults).toEqual(['kill', 'stop']);
  });

  test('an authority is killed only where there is one, and then by default too', () => {
    expect(options({}).faults).not.toContain('authority');
    expect(options({ authorities: '2' })).toMatchObject({
      authorities: 2,
      faults: expect.arrayContaining(['authority', 'gateway']),
    });
  });

  test('without gateways nobody watches, and no gateway can be killed', () => {
    const { clients, faults } = options({ gateways: '0' });
    expect(clients).toBe(0);
    expect(faults).not.toContain('gateway');
  });

  test('lockstep ends by ticks', () => {
    const { ticks, seconds } = options({ lockstep: true, ticks: '120' });
    expect([ticks, seconds]).toEqual([120, 0]);
    expect(options({ lockstep: true }).ticks).toBe(400);
  });

  test.each([
    [{ pods: '0' }, '--pods', '0'],
    [{ pods: '65' }, '--pods', '65'],
    [{ gateways: '17' }, '--gateways', '17'],
    [{ clients: '65' }, '--clients', '65'],
    [{ clients: '2', gateways: '0' }, '--clients', '2'],
    [{ minutes: '0' }, '--minutes', '0'],
    [{ minutes: '1441' }, '--minutes', '1441'],
    [{ minutes: 'one' }, '--minutes', 'one'],
    [{ seconds: '1' }, '--seconds', '1'],
    [{ seconds: '5', minutes: '1' }, '--seconds', '5'],
    [{ seconds: '5', lockstep: true }, '--seconds', '5'],
    [{ minutes: '1', lockstep: true }, '--minutes', '1'],
    [{ ticks: '100' }, '--ticks', '100'],
    [{ ticks: '5', lockstep: true }, '--ticks', '5'],
    [{ faults: 'kill,earthquake' }, '--faults', 'earthquake'],
    [{ faults: '' }, '--faults', ''],
    [{ faults: 'gateway', gateways: '0' }, '--faults', 'gateway'],
    [{ faults: 'kill,authority' }, '--faults', 'authority'],
    [{ authorities: '9' }, '--authorities', '9'],
    [{ seed: '-1' }, '--seed', '-1'],
    [{ report: ' ' }, '--report', ' '],
    [{ expect: '0123456789abcdef' }, '--expect', '0123456789abcdef'],
    [{ expect: 'abc', lockstep: true }, '--expect', 'abc'],
    [{ break: 'everything' }, '--break', 'everything'],
  ] satisfies [ChaosFlags, string, string][])(
    '%o is refused by flag, value and remedy',
    (flags, field, value) => {
      expect(() => options(flags)).toThrow(
        expect.objectContaining({
          code: 'SETTING_INVALID',
          detail: { field, value, remedy: expect.stringMatching(/\w/) },
        }),
      );
    },
  );
});
