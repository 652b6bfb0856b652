/** Opens an address in whatever the desktop uses for it. */
import { spawn } from 'node:child_process';

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  // `start` is a word of the shell; its first quoted argument would be a window's title.
  win32: ['cmd', '/c', 'start', '""'],
};

/** Does not wait for the browser; `failed` is told when there is none. */
export function openAddress(address: string, failed: (why: string) => void): void {
  const [program, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  const child = spawn(program, [...args, address], { stdio: 'ignore', detached: true });
  child.on('error', (error) => failed(error.message));
  child.on('exit', (code) => {
    if (code !== 0) failed(`${program} ended with exit code ${code}`);
  });
  child.unref();
}
