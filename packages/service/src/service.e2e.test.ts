import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, test } from 'vitest';

type Line = Record<string, unknown> & { readonly msg: string };
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

/** A real process of the fixture, with the log lines it has written. */
function run(does: readonly string[], env: Record<string, string> = {}) {
  const fixture = join(import.meta.dirname, '..', 'fixtures', 'service.ts');
  const child = spawn(process.execPath, [fixture, ...does], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: Line[] = [];
  const reader = createInterface({ input: child.stdout });
  const said = async (msg: string): Promise<Line> => {
    for (;;) {
      const line = lines.find((one) => one.msg === msg);
      if (line) return line;
      await once(reader, 'line', { signal: AbortSignal.timeout(10_000) });
    }
  };
  reader.on('line', (line) => lines.push(JSON.parse(line) as Line));
  // 'close' comes after the last line was read.
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const closed = () => lines.filter(({ msg }) => msg === 'closing').map((line) => line['part']);
  started.push(child);
  return { child, said, exited, closed };
}

describe('a service', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'drains on %s: parts close in reverse, the slow one is waited for, exit 0',
    async (signal) => {
      const { child, said, exited, closed } = run(['drains-soon', 'listens']);
      await said('ready');
      child.kill(signal);
      expect(await exited).toBe(0);
      expect(closed()).toEqual(['last', 'soon', 'first']);
      expect((await said('draining'))['cause']).toBe(signal);
    },
  );

  test('stays alive with nothing to do, until it ends itself', async () => {
    const { exited, closed, said } = run(['ends-itself']);
    expect(await exited).toBe(0);
    expect((await said('draining'))['cause']).toBe('all done');
    expect(closed()).toEqual(['last', 'first']);
  });

  test('ends when standard input does, if it was asked to', async () => {
    const { child, exited, said } = run(['ends-with-input']);
    await said('ready');
    child.stdin.end();
    expect(await exited).toBe(0);
  });

  test('that cannot drain in time says so and exits 1', async () => {
    const { child, exited, said } = run(['drains-slowly', 'short-deadline']);
    await said('ready');
    child.kill('SIGTERM');
    expect(await exited).toBe(1);
    expect(await said('not drained in time')).toMatchObject({ drainMs: 200 });
  });

  test('told twice leaves at once with 128 + the number of the signal', async () => {
    const { child, exited, said, closed } = run(['drains-slowly']);
    await said('ready');
    child.kill('SIGTERM');
    await said('closing');
    child.kill('SIGTERM');
    expect(await exited).toBe(143);
    expect(closed()).not.toContain('first');
  });

  test('closes the other parts when one cannot, and exits 1', async () => {
    const { child, exited, said, closed } = run(['fails-to-close']);
    await said('ready');
    child.kill('SIGTERM');
    expect(await exited).toBe(1);
    expect(closed()).toEqual(['last', 'broken', 'first']);
    expect(await said('a part could not be closed')).toMatchObject({ err: { message: 'stuck' } });
  });

  test('that cannot start closes what it had opened and exits 1', async () => {
    const { exited, said, closed } = run(['fails-to-start']);
    expect(await exited).toBe(1);
    expect(closed()).toEqual(['first']);
    expect(await said('the service could not start')).toMatchObject({ err: { message: 'no way' } });
  });

  test('told to end while it starts closes what it opens after that, too', async () => {
    const { child, exited, said, closed } = run(['starts-for-ever']);
    await said('starting');
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(closed()).toEqual(['late', 'first']);
  });

  test('logs an error that nobody caught and exits 1', async () => {
    const { exited, said } = run(['throws-later']);
    expect(await exited).toBe(1);
    expect(await said('uncaught error')).toMatchObject({ err: { message: 'later' } });
  });

  test('whose port is taken tells the port and the remedy', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const { exited, said } = run(['listens'], { PORT: String(port) });
    expect(await exited).toBe(1);
    const { fault } = await said('the service could not start');
    expect(fault).toMatchObject({ code: 'PORT_IN_USE', field: 'PORT', value: String(port) });
    other.close();
    await once(other, 'close');
  });
});
