/**
 * `leasehold dev`: runs a world and watches its folder. A changed module is checked in a process of
 * its own first; if it is sound, pods are replaced one by one and the state stays; if it is not,
 * its error is shown and the old one goes on.
 */
import { watch } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Child } from '../child.ts';
import type { LiveRun } from '../live-run.ts';
import type { RunOptions } from '../options.ts';
import type { Output } from '../output.ts';
import { run } from './run.ts';

const CHECK_MAIN = fileURLToPath(new URL('../check-main.ts', import.meta.url));
/** Editors write a file in several steps. */
const QUIET_MS = 200;
const READY_MAX_MS = 20_000;

export async function dev(options: RunOptions, output: Output): Promise<number> {
  let changedAtMs = 0;
  const watcher = watch(options.folder, { recursive: true }, (_, file) => {
    if (file === null || !/node_modules|\.leasehold|^\.git/.test(file)) {
      changedAtMs = performance.now();
    }
  });
  try {
    return await run(options, output, {
      tick: async (live) => {
        if (changedAtMs === 0 || performance.now() - changedAtMs < QUIET_MS) return;
        changedAtMs = 0;
        await reload(live, options.folder, output);
      },
    });
  } finally {
    watcher.close();
  }
}

async function reload(live: LiveRun, folder: string, output: Output): Promise<void> {
  const fault = await faultOf(folder);
  if (fault !== undefined) {
    output.warn(`not reloaded: ${fault}`);
    return;
  }
  for (const pod of live.fleet.running) {
    const next = live.fleet.start(pod.layer);
    if (!(await live.untilReady(next, READY_MAX_MS))) {
      output.warn(`${next.name} is not ready; ${pod.name} goes on with the module as it was`);
      await live.fleet.drain(next);
      return;
    }
    await live.fleet.drain(pod);
  }
  // What they know of components is from the module, too.
  await live.gateways.restart();
  output.progress('reloaded; the state is kept');
}

/** What is wrong with the world in the folder, found by a process that may fail. */
async function faultOf(folder: string): Promise<string | undefined> {
  let fault: string | undefined;
  const child = new Child('check', CHECK_MAIN, { WORLD_FOLDER: folder }, (message) => {
    if (message['type'] !== 'fault') return;
    fault = `${message['message']} (${message['code']}). ${message['remedy']}`;
  });
  const { code } = await child.exited;
  return code === 0 ? undefined : (fault ?? child.lastLines.join('\n'));
}
