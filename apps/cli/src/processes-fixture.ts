import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Process ids of everything that a process has started. */
export async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('pgrep', ['-P', String(pid)]);
  return stdout.trim().split('\n').map(Number);
}
