import { describe, expect, test } from 'vitest';
import { type RunFlags, runOptions } from './options.ts';

const options = (flags: RunFlags) => runOptions('world', flags, {});

describe('flags of run', () => {
  test('without flags a world runs with one pod until it is told to stop', () => {
    expect(options({})).toMatchObject({
      pods: 1,
      gateways: 0,
      port: 0,
      isOpening: false,
      seconds: 0,
      ticks: 0,
      seed: -1,
      killEveryMs: 0,
      stopEveryMs: 0,
      isFresh: false,
    });
  });

  test('seconds become milliseconds where faults are scheduled', () => {
    const flags = { killEvery: '2.5', stopEvery: '15', stopFor: '5' };
    expect(options(flags)).toMatchObject({
      killEveryMs: 2_500,
      stopEveryMs: 15_000,
      stopForMs: 5_000,
    });
  });

  test.each([
    [{ pods: '0' }, '--pods'],
    [{ pods: '65' }, '--pods'],
    [{ pods: '1.5' }, '--pods'],
    [{ pods: '' }, '--pods'],
    [{ gateways: '-1' }, '--gateways'],
    [{ gateways: '17' }, '--gateways'],
    [{ gateways: '1', port: '0' }, '--port'],
    [{ gateways: '1', port: '65536' }, '--port'],
    [{ gateways: '2', port: '65535' }, '--port'],
    [{ port: '7300' }, '--port'],
    [{ gateways: '0', open: true }, '--open'],
    [{ seconds: 'ten' }, '--seconds'],
    [{ seconds: '-1' }, '--seconds'],
    [{ ticks: '0' }, '--ticks'],
    [{ seed: '4294967296' }, '--seed'],
    [{ seed: 'NaN' }, '--seed'],
    [{ killEvery: '0' }, '--kill-every'],
    [{ stopFor: '5' }, '--stop-for'],
    [{ break: 'everything' }, '--break'],
    [{ autoscale: '2' }, '--autoscale'],
    [{ autoscale: '8..2' }, '--autoscale'],
    [{ autoscale: '0..2' }, '--autoscale'],
    [{ autoscale: '2..65' }, '--autoscale'],
    [{ autoscale: '2..8', authorities: '0' }, '--authorities'],
    [{ authorities: '1', spare: '100' }, '--spare'],
    [{ authorities: '1', spare: '0.5' }, '--spare'],
    [{ spare: '30' }, '--spare'],
    [{ snapshots: true }, '--snapshots'],
  ] satisfies [RunFlags, string][])('%o is refused by the name of its flag', (flags, field) => {
    expect(() => options(flags)).toThrow(
      expect.objectContaining({
        code: 'SETTING_INVALID',
        detail: expect.objectContaining({ field, remedy: expect.stringMatching(/\w/) }),
      }),
    );
  });

  test('gateways have the ports from the given one on', () => {
    expect(options({ gateways: '2', port: '65534', open: true })).toMatchObject({
      gateways: 2,
      port: 65_534,
      isOpening: true,
    });
  });

  test('who scales has an authority, and as few pods as there may be', () => {
    const scaled = { pods: 2, authorities: 1, autoscale: { min: 2, max: 8 } };
    expect(options({ autoscale: '2..8' })).toMatchObject(scaled);
    const given = options({ autoscale: '2..8', pods: '4', spare: '80' });
    expect(given).toMatchObject({ ...scaled, pods: 4, sparePercent: 80 });
  });

  test('a build without a fence is given a second pod and a stop, or it could not show', () => {
    expect(options({ break: 'fence' })).toMatchObject({ pods: 2, stopEveryMs: 4_000 });
    expect(options({ break: 'fence', killEvery: '3' })).toMatchObject({ stopEveryMs: 0 });
  });

  test('the home is the flag, then LEASEHOLD_HOME, then .leasehold here', () => {
    const env = { LEASEHOLD_HOME: '/env' };
    expect(runOptions('w', { home: '/flag' }, env).home).toBe('/flag');
    expect(runOptions('w', {}, env).home).toBe('/env');
    expect(runOptions('w', {}, {}).home).toMatch(/\/\.leasehold$/);
  });
});
