/** A run with its live map, as a user has it: the address, the kill, Ctrl-C, and ports that are taken. */
import { createServer } from 'node:net';
import { eventually, freePort, type Spawned, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { FLOCKING, User } from './command-fixture.ts';
import { isPortFree } from './ports.ts';
import { childrenOf } from './processes-fixture.ts';

const WAIT_MS = 60_000;

type Entry = { readonly kind: string; readonly facts: Readonly<Record<string, string | number>> };

async function addressOf(run: Spawned): Promise<URL> {
  const pattern = /^map {2}(http:\S+)$/m;
  await eventually(() => pattern.test(run.stderr), WAIT_MS);
  return new URL(pattern.exec(run.stderr)?.[1] ?? '');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Somebody else's server on a port, until the test is over. */
async function occupied(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject).listen(port, '127.0.0.1', resolve);
  });
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
}

describe('a run with a map', () => {
  const at = useRedis();
  let user: User;

  beforeAll(async () => {
    user = await User.open({ REDIS_URL: at.url });
  });

  afterAll(() => user.close());

  const pods = async (): Promise<string[]> => at.redis.hkeys(`${await worldTag()}:pods`);
  const worldTag = async (): Promise<string> => {
    const [key] = await at.redis.keys('{flocking.*}:clock');
    return String(key).replace(/:clock$/, '');
  };
  const feed = async (): Promise<Entry[]> => {
    const items = await at.redis.xrange(`${await worldTag()}:feed`, '-', '+');
    return items.map(([, [, kind = '', , , , facts = '{}']]) => ({
      kind,
      facts: JSON.parse(facts) as Entry['facts'],
    }));
  };
  const kill = (address: URL, pod: string, token: string): Promise<Response> =>
    fetch(new URL(`/pods/${pod}/kill`, address), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, connection: 'close' },
    });

  test(
    'E1 E2 a pod killed from the map is replaced and costs nobody its life; Ctrl-C leaves no process and no port',
    async () => {
      const port = await freePort();
      const flags = ['--pods', '2', '--gateways', '1', '--port', String(port), '--json'];
      const run = user.leasehold(['run', FLOCKING, ...flags]);
      onTestFinished(() => void run.kill('SIGKILL'));
      const address = await addressOf(run);
      expect(address.origin).toBe(`http://127.0.0.1:${port}`);
      const page = await fetch(address, { headers: { connection: 'close' } });
      // 503 where the page was not built.
      expect([200, 503]).toContain(page.status);
      const token = address.hash.replace('#token=', '');
      const before = await pods();
      expect(before).toHaveLength(2);
      const victim = before[0] as string;

      expect((await kill(address, victim, 'guessed')).ok).toBe(false);
      expect((await kill(address, 'pod-of-nobody', token)).ok).toBe(false);
      expect((await kill(address, victim, token)).ok).toBe(true);
      // The dead one is forgotten, and another is there.
      await eventually(async () => {
        const names = await pods();
        return names.length === 2 && !names.includes(victim);
      }, WAIT_MS);
      await eventually(
        async () => (await feed()).some(({ facts }) => facts['about'] === 'takeover'),
        WAIT_MS,
      );

      const children = await childrenOf(run.pid);
      // Two pods, the auditor and the gateway.
      expect(children).toHaveLength(4);
      run.kill('SIGINT');
      const { code, report } = await user.ended(run);
      expect(report).toMatchObject({ kills: 1, lost: 0, duplicated: 0, violations: [] });
      expect(report.takeovers.some(({ cause }) => cause === 'killed')).toBe(true);
      expect([code, report.reasons]).toEqual([0, []]);
      const words = (await feed()).filter(({ kind }) => kind === 'audit').map(({ facts }) => facts);
      // Takeovers that come in two bursts have a word each.
      const about = words.map((word) => word['about']);
      expect([about[0], about.at(-1)]).toEqual(['start', 'end']);
      expect(new Set(about.slice(1, -1))).toEqual(new Set(['takeover']));
      const whole = { entities: 2_000, lost: 0, duplicated: 0, violations: 0 };
      for (const word of words) expect(word).toMatchObject(whole);
      // Ctrl-C has ended pods, auditor and gateways.
      expect(children.filter(isAlive)).toEqual([]);
      expect(await isPortFree(port)).toBe(true);
    },
    3 * WAIT_MS,
  );

  test(
    'PORT_IN_USE a port that was asked for and is taken ends the command with exit code 2',
    async () => {
      const port = await freePort();
      await occupied(port);
      const flags = ['--gateways', '1', '--port', String(port)];
      const { code, fault } = await user.json(['run', FLOCKING, ...flags]);
      expect(code).toBe(2);
      expect(fault).toMatchObject({ code: 'PORT_IN_USE', field: '--port', value: String(port) });
    },
    WAIT_MS,
  );

  test(
    'a default port that is taken is left to whoever has it, and the next one is said',
    async () => {
      if (await isPortFree(7_300)) await occupied(7_300);
      const run = user.leasehold(['run', FLOCKING, '--gateways', '1', '--seconds', '1']);
      const address = await addressOf(run);
      expect(Number(address.port)).toBeGreaterThan(7_300);
      expect(run.stderr).toContain(`port 7300 is taken: the map is on port ${address.port}`);
      expect((await run.exited).code).toBe(0);
    },
    2 * WAIT_MS,
  );
});
