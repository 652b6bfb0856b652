import { LeaseholdError } from '@leasehold/kernel';
import { describe, expect, test } from 'vitest';
import { choice, flag, integer, readConfig, settingsTable, text } from './index.ts';

const settings = {
  redisUrl: text('REDIS_URL', 'Redis that holds the world.'),
  layer: text('LAYER', 'Layer to simulate.', { fallback: 'main' }),
  port: integer('PORT', 'Port for health.', { min: 0, max: 65_535, fallback: 0 }),
  isLoud: flag('LOUD', 'Says everything.'),
  mode: choice('MODE', 'How time passes.', { of: ['realtime', 'lockstep'], fallback: 'realtime' }),
};

function refusal(env: Record<string, string>): LeaseholdError {
  try {
    readConfig(settings, env);
  } catch (error) {
    return error as LeaseholdError;
  }
  throw new Error('the environment was accepted');
}

describe('a configuration', () => {
  test('has the value of each variable, or its fallback', () => {
    expect(readConfig(settings, { REDIS_URL: 'redis://r', LAYER: '', HOME: '/root' })).toEqual({
      redisUrl: 'redis://r',
      layer: 'main',
      port: 0,
      isLoud: false,
      mode: 'realtime',
    });
    const given = { REDIS_URL: 'r', PORT: '65535', LOUD: '1', MODE: 'lockstep' };
    expect(readConfig(settings, given)).toMatchObject({
      port: 65_535,
      isLoud: true,
      mode: 'lockstep',
    });
    expect(readConfig(settings, { REDIS_URL: 'r', LOUD: 'false' }).isLoud).toBe(false);
  });

  test('tells every fault at once, with the variable and its purpose', () => {
    const error = refusal({ PORT: '65536', LOUD: 'maybe', MODE: 'slow' });
    expect(error).toBeInstanceOf(LeaseholdError);
    expect(error.code).toBe('SETTING_INVALID');
    expect(error.message.split('\n').slice(1)).toEqual([
      '  REDIS_URL is not set, and must be text. Redis that holds the world.',
      '  PORT is "65536", and must be an integer from 0 to 65535. Port for health.',
      '  LOUD is "maybe", and must be 1, 0, true or false. Says everything.',
      '  MODE is "slow", and must be one of realtime, lockstep. How time passes.',
    ]);
    expect(error.detail).toEqual({
      field: 'REDIS_URL',
      value: 'nothing',
      remedy: 'Set REDIS_URL, PORT, LOUD, MODE and start again.',
    });
  });

  test.each(['-1', '1.5', '1e3', '0x10', ' 80', 'port', 'NaN', '99999999999999999999'])(
    'takes %j for no port',
    (PORT) => {
      expect(refusal({ REDIS_URL: 'r', PORT }).detail).toMatchObject({ field: 'PORT' });
    },
  );

  test.each(['constructor', '__proto__', 'toString'])('takes %j for no flag', (LOUD) => {
    expect(refusal({ REDIS_URL: 'r', LOUD }).detail.field).toBe('LOUD');
  });

  test('is described by a table for the reference', () => {
    expect(settingsTable(settings).slice(0, 3)).toEqual([
      {
        variable: 'REDIS_URL',
        accepts: 'text',
        fallback: 'required',
        purpose: 'Redis that holds the world.',
      },
      { variable: 'LAYER', accepts: 'text', fallback: 'main', purpose: 'Layer to simulate.' },
      {
        variable: 'PORT',
        accepts: 'an integer from 0 to 65535',
        fallback: '0',
        purpose: 'Port for health.',
      },
    ]);
  });
});
