/** A process that restores a snapshot as soon as a signal tells it to, to be killed meanwhile. */
import { once } from 'node:events';
import { openSnapshotStore, postgresRegistry } from '@leasehold/snapshot-store';
import { restoreSnapshot } from './index.ts';

const [url = '', redisUrl = '', id = ''] = process.argv.slice(2);
const snapshots = await openSnapshotStore({ url });
const told = once(process, 'SIGUSR2');
// A signal alone keeps no process alive.
const timer = setTimeout(() => process.exit(1), 60_000);
const say = (event: string): void => {
  process.stdout.write(`${JSON.stringify({ event })}\n`);
};
say('ready');
await told;
say('begun');
const registry = postgresRegistry(url);
await restoreSnapshot({ redisUrl, registry, snapshots, id, progress: ({ phase }) => say(phase) });
clearTimeout(timer);
await snapshots.close();
