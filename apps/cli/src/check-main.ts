/**
 * Loads and compiles the world in WORLD_FOLDER and says what is wrong with it, in one JSON line.
 */
import { faultReport } from '@leasehold/kernel';
import { loadCheckConfig } from './config.ts';
import { checkWorld } from './stored-world.ts';

try {
  const { worldFolder: folder } = loadCheckConfig(process.env);
  await checkWorld({ folder, home: folder, isLockstep: false, seed: -1, isFresh: false });
  process.exit(0);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ type: 'fault', ...faultReport(error) })}\n`);
  process.exit(1);
}
