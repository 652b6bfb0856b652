/** `leasehold run`: a world with some pods for some time, judged at the end. */
import { Autoscaler } from '../autoscale.ts';
import { openInterrupt } from '../interrupt.ts';
import { brokenLibraryName } from '../known-bad.ts';
import { API_PORT_DEFAULT, apiLine, docsUrl, Lifecycles, lifecyclePorts } from '../lifecycles.ts';
import { LiveRun, type RunHooks } from '../live-run.ts';
import type { RunOptions } from '../options.ts';
import type { Output } from '../output.ts';
import { choosePorts, PORT_DEFAULT } from '../ports.ts';
import { type Report, summary } from '../report.ts';
import { checkWorld, openStoredWorld, type StoredWorld } from '../stored-world.ts';

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
  let lifecycles: Lifecycles | undefined;
  let live: LiveRun | undefined;
  const interrupt = openInterrupt(
    () => output.progress('ending; Ctrl-C again leaves at once'),
    () => {
      live?.killAll();
      lifecycles?.killAll();
    },
  );
  try {
    const world = await openStoredWorld(options, checked, output);
    try {
      live = new LiveRun(world, options, { output, signal: interrupt.signal, ports });
      lifecycles = new Lifecycles({ ...lifecycleParts(world, options, output), ports: apiPorts });
      const api = { lifecycles, signal: interrupt.signal, output };
      const report = await judged(live, api, scaled(options, hooks));
      say(report, output);
      return report.exitCode;
    } finally {
      await lifecycles?.close();
      await live?.close();
      await world.close();
    }
  } finally {
    interrupt.close();
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

function lifecycleParts({ redisUrl }: StoredWorld, options: RunOptions, output: Output) {
  const library = options.break === undefined ? '' : brokenLibraryName(options.break);
  return {
    env: { REDIS_URL: redisUrl, LEASEHOLD_HOME: options.home, LEASEHOLD_LIBRARY: library },
    warn: (line: string) => output.warn(line),
  };
}

type Api = {
  readonly lifecycles: Lifecycles;
  readonly signal: AbortSignal;
  readonly output: Output;
};

async function judged(live: LiveRun, api: Api, hooks: RunHooks): Promise<Report> {
  const { lifecycles, signal } = api;
  lifecycles.start();
  await Promise.all([live.start(), lifecycles.untilListening(signal)]);
  await tellApi(api);
  await live.untilOver(hooks);
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
