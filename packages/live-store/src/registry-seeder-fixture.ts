/**
 * A process that seeds a file registry, for tests that kill it. Arguments: home, world, schema
 * hash, milliseconds of work, ready incarnation to replace (0 = none). Says what it does, a line
 * each.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileRegistry } from './registry-file.ts';

const [home = '', world = '', schemaHash = '', workMs = '0', replaces = '0'] =
  process.argv.slice(2);
const say = (event: string, incarnation: number): void => {
  const line = JSON.stringify({ event, pid: process.pid, incarnation });
  appendFileSync(join(home, 'diary'), `${line}\n`);
  process.stdout.write(`${line}\n`);
};
const record = await fileRegistry(home).seed(
  world,
  { schemaHash, manifestHash: 'm' },
  async (incarnation) => {
    say('begin', incarnation);
    await sleep(Number(workMs));
    say('end', incarnation);
    return { redisRunId: 'run' };
  },
  replaces === '0' ? {} : { replaces: Number(replaces) },
);
say(record.state, record.incarnation);
