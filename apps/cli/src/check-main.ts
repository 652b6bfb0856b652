/** Loads and compiles the world in WORLD_FOLDER and says what is wrong with it, in one JSON line. */
import { faultReport } from '@leasehold/kernel';
import { checkWorld } from './stored-world.ts';

const folder = process.env['WORLD_FOLDER'] ?? '.';
try {
  await checkWorld({ folder, home: folder, isLockstep: false, seed: -1, isFresh: false });
  process.exit(0);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ type: 'fault', ...faultReport(error) })}\n`);
  process.exit(1);
}
