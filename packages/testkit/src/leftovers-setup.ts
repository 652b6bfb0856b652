/** Vitest setup of the projects with servers and processes: a file that leaves one behind fails. */
import { afterAll } from 'vitest';
import { endLeftovers } from './leftovers.ts';

afterAll(async () => {
  const left = await endLeftovers();
  if (left.length > 0) throw new Error(`left behind by this file: ${left.join('; ')}`);
});
