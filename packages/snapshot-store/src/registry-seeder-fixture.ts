/** A process that seeds a world of the registry in DATABASE_URL without end, to be killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { postgresRegistry } from './registry-postgres.ts';

const registry = postgresRegistry(process.env['DATABASE_URL'] ?? '');
await registry.seed(process.argv[2] ?? '', { schemaHash: 's', manifestHash: 'm' }, async () => {
  process.stdout.write(`${JSON.stringify({ event: 'begin' })}\n`);
  await sleep(60_000);
  return {};
});
