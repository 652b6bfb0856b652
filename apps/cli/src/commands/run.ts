/** `leasehold run`: a world with some pods for some time, judged at the end. */
import { type DatabaseServer, openDatabase } from '@leasehold/servers';
import { watchReplaced } from '@leasehold/world';
import { Autoscaler } from '../autoscale.ts';
import { databaseFor } from '../cold-database.ts';
import { type Interrupt, openInterrupt } from '../interrupt.ts';
import { brokenLibraryName } from '../known-bad.ts';
import { API_PORT_DEFAULT, apiLine, docsUrl, Lifecycles, lifecyclePorts } from '../lifecycles.ts';
import { LiveRun, type RunHooks } from '../live-run.ts';
import type { RunOptions } from '../options.ts';
import type { Output } from '../output.ts';
import { choosePorts, PORT_DEFAULT } from '../ports.ts';
import { type Report, summary } from '../report.ts';
import {
  type CheckedWorld,
  checkWorld,
  openStoredWorld,
  type StoredWorld,
} from '../stored-world.ts';

/** Returns the exit code: 0 when nothing was lost, doubled or broken, else 1. Throws bad input. */
export async function run(
  options: RunOptions,
  output: Output,
  hooks: RunHooks = {},
): Promise<number> {
  const checked = await checkWorld(options);
  if (options.isLockstep) {
    output.progress(`lockstep runs in a world of its own, ${checked.name}, and begins anew`);
  }
  const { gateways, lifecycles: count, port } = options;
  const ports = await choosePorts(gateways, port);
  if (gateways > 0 && port === 0 && ports[0] !== PORT_DEFAULT) {
    output.progress(`port ${PORT_DEFAULT} is taken: the map is on port ${ports[0]}`);
  }
  const apiPorts = await lifecyclePorts(count, ports);
  if (count > 0 && apiPorts[0] !== API_PORT_DEFAULT) {
    output.progress(`port ${API_PORT_DEFAULT} is taken: the API is on port ${apiPorts[0]}`);
  }
  const running: Running = { lifecycles: undefined, live: undefined };
  const interrupt = openInterrupt(
    () => output.progress('ending; Ctrl-C again leaves at once'),
    () => {
      running.live?.killAll();
      running.lifecycles?.killAll();
    },
  );
  let database: DatabaseServer | undefined;
  try {
    if (options.hasSnapshots) {
      database = await openDatabase({
        home: options.home,
        log: (line) => output.progress(line),
      });
    }
    const startedMs = performance.now();
    let left = options;
    for (;;) {
      const snapshotsUrl = database?.databaseUrl ?? '';
      const parts = { output, interrupt, ports, apiPorts, running, snapshotsUrl };
      let report: Report | undefined;
      try {
        report = await runOnce(left, checked, parts, hooks);
      } catch (error) {
        if (database !== undefined) throw error;
        database = await databaseFor(error, options.home, output);
        continue;
      }
      if (report !== undefined) {
        say(report, output);
        return report.exitCode;
      }
      output.warn(`${checked.name} was restored from a snapshot: this run goes on with it`);
      const elapsedS = (performance.now() - startedMs) / 1_000;
      const seconds = options.seconds === 0 ? 0 : Math.max(1, options.seconds - elapsedS);
      left = { ...options, seconds, isFresh: false };
    }
  } finally {
    interrupt.close();
    await database?.close();
  }
}

type Running = { lifecycles: Lifecycles | undefined; live: LiveRun | undefined };

type RunParts = {
  readonly output: Output;
  readonly interrupt: Interrupt;
  readonly ports: readonly number[];
  readonly apiPorts: readonly number[];
  readonly running: Running;
  /** Of the database of --snapshots; '' = none was asked for. */
  readonly snapshotsUrl: string;
};

/** Until its end has come; undefined: until somebody has restored the world. */
async function runOnce(
  options: RunOptions,
  checked: CheckedWorld,
  { output, interrupt, ports, apiPorts, running, snapshotsUrl }: RunParts,
  hooks: RunHooks,
): Promise<Report | undefined> {
  const world = await openStoredWorld({ ...options, snapshotsUrl }, checked, output);
  const replaced = watchReplaced(world.registry, {
    world: world.name,
    incarnation: world.incarnation,
  });
  const signal = AbortSignal.any([interrupt.signal, replaced.signal]);
  try {
    const live = new LiveRun(world, options, { output, signal, ports, snapshotsUrl });
    running.live = live;
    const lifecycles = new Lifecycles({
      ...lifecycleParts(world, options, { output, snapshotsUrl }),
      ports: apiPorts,
    });
    running.lifecycles = lifecycles;
    const isReplaced = (): boolean => replaced.signal.aborted;
    return await judged(live, { lifecycles, signal, output, isReplaced }, scaled(options, hooks));
  } catch (error) {
    // What this run has read or written meanwhile is gone under its hands.
    if (replaced.signal.aborted && !interrupt.signal.aborted) return undefined;
    throw error;
  } finally {
    replaced.close();
    if (replaced.signal.aborted) running.live?.killAll();
    await running.lifecycles?.close();
    await running.live?.close();
    await world.close();
  }
}

/** With pods that come and go as the authority wants, if that was asked for. */
function scaled({ autoscale }: RunOptions, hooks: RunHooks): RunHooks {
  if (autoscale === undefined) return hooks;
  const scaler = new Autoscaler(autoscale);
  return {
    ...hooks,
    tick: async (run) => {
      await scaler.tick(run);
      await hooks.tick?.(run);
    },
  };
}

function lifecycleParts(
  { redisUrl }: StoredWorld,
  options: RunOptions,
  { output, snapshotsUrl }: Pick<RunParts, 'output' | 'snapshotsUrl'>,
) {
  const library = options.break === undefined ? '' : brokenLibraryName(options.break);
  return {
    env: {
      ...{ REDIS_URL: redisUrl, LEASEHOLD_HOME: options.home, LEASEHOLD_LIBRARY: library },
      ...(snapshotsUrl === '' ? {} : { SNAPSHOTS_URL: snapshotsUrl }),
    },
    warn: (line: string) => output.warn(line),
  };
}

type Api = {
  readonly lifecycles: Lifecycles;
  readonly signal: AbortSignal;
  readonly output: Output;
  /** The world was restored: nobody is to be judged by what is there now. */
  readonly isReplaced: () => boolean;
};

async function judged(live: LiveRun, api: Api, hooks: RunHooks): Promise<Report | undefined> {
  const { lifecycles, signal, isReplaced } = api;
  // One after the other: whoever waits for the map shares the processors with nothing that can wait.
  await live.start();
  lifecycles.start();
  await lifecycles.untilListening(signal);
  await tellApi(api);
  await live.untilOver(hooks);
  if (isReplaced()) return undefined;
  // Before the pods go: what was asked for is still applied.
  await lifecycles.stop();
  return live.finish(hooks);
}

async function tellApi({ lifecycles, signal, output }: Api): Promise<void> {
  const { urls } = lifecycles;
  const [first] = urls;
  if (first === undefined || signal.aborted) return;
  output.notice(apiLine(urls, await docsUrl(first), output.colors));
}

function say(report: Report, output: Output): void {
  output.json(report);
  output.print(summary(report, output.colors).join('\n'));
}
