import { LeaseholdError } from '@leasehold/kernel';
import { describe, expect, test } from 'vitest';
import { Output } from './output.ts';

const fault = new LeaseholdError('PORT_IN_USE', 'port 80 is taken', {
  field: 'PORT',
  value: '80',
  remedy: 'Choose another.',
});

function open(options: {
  readonly json?: boolean;
  readonly isTTY?: boolean;
  env?: NodeJS.ProcessEnv;
}) {
  const text = { out: '', err: '' };
  const sink = (name: 'out' | 'err') => ({
    isTTY: options.isTTY ?? false,
    columns: 20,
    write: (part: string) => {
      text[name] += part;
    },
  });
  const output = new Output({
    json: options.json ?? false,
    stdout: sink('out'),
    stderr: sink('err'),
    env: options.env ?? {},
  });
  return { output, text };
}

describe('output', () => {
  test('a fault is one block with message, field, value, remedy and code', () => {
    const { output, text } = open({});
    output.fault(fault);
    expect(text.err.split('\n').map((line) => line.trim())).toEqual([
      'error port 80 is taken',
      'field  PORT',
      'value  80',
      'remedy Choose another.',
      'code   PORT_IN_USE',
      '',
    ]);
  });

  test('with JSON a fault is one value on stdout and nothing is said beside it', () => {
    const { output, text } = open({ json: true });
    output.progress('busy');
    output.print('done');
    output.fault(fault);
    expect(JSON.parse(text.out)).toEqual({
      error: {
        code: 'PORT_IN_USE',
        message: 'port 80 is taken',
        field: 'PORT',
        value: '80',
        remedy: 'Choose another.',
      },
    });
    expect(text.err).toBe('');
  });

  test('only a terminal sees a live view, cut to its width and removed before the next line', () => {
    const plain = open({});
    plain.output.live(['line']);
    expect(plain.text.err).toBe('');
    const { output, text } = open({ isTTY: true, env: { NO_COLOR: '1' } });
    output.live(['x'.repeat(30), 'short']);
    expect(text.err).toBe(`${'x'.repeat(19)}\u001b[K\nshort\u001b[K\n\u001b[0J`);
    output.progress('next');
    expect(text.err).toContain('\u001b[2A\u001b[0J');
  });

  test('NO_COLOR and a pipe have no colour', () => {
    expect(open({ isTTY: true, env: { NO_COLOR: '1' } }).output.colors.red('a')).toBe('a');
    expect(open({}).output.colors.red('a')).toBe('a');
    expect(open({ isTTY: true }).output.colors.red('a')).not.toBe('a');
  });
});
