/** What was compiled once is not compiled again, by any process of the product. */
import { enableCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where children keep it too: a pod that takes a dead one's place starts sooner. */
export const COMPILE_CACHE = join(tmpdir(), 'leasehold-compile-cache');

/** For what this process imports from now on. */
export function useCompileCache(): void {
  enableCompileCache(COMPILE_CACHE);
}
