/** `leasehold run`: a world with some pods for some time, judged at the end. */
import { Autoscaler } from '../autoscale.ts';
import { openInterrupt } from '../interrupt.ts';
import { LiveRun, type RunHooks } from '../live-run.ts';
import type { RunOptions } from '../options.ts';
import type { Output } from '../output.ts';
import { choosePorts, PORT_DEFAULT } from '../ports.ts';
import { type Report, summary } from '../report.ts';
import { checkWorld, openStoredWorld } from '../stored-world.ts';

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
  const { gateways, port } = options;
  const ports = await choosePorts(gateways, port);
  if (gateways > 0 && port === 0 && ports[0] !== PORT_DEFAULT) {
    output.progress(`port ${PORT_DEFAULT} is taken: the map is on port ${ports[0]}`);
  }
  let live: LiveRun | undefined;
  const interrupt = openInterrupt(
    () => output.progress('ending; Ctrl-C again leaves at once'),
    () => live?.killAll(),
  );
  try {
    const world = await openStoredWorld(options, checked, output);
    try {
      live = new LiveRun(world, options, { output, signal: interrupt.signal, ports });
      const report = await judged(live, scaled(options, hooks));
      say(report, output);
      return report.exitCode;
    } finally {
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

async function judged(live: LiveRun, hooks: RunHooks): Promise<Report> {
  await live.start();
  await live.untilOver(hooks);
  return live.finish(hooks);
}

function say(report: Report, output: Output): void {
  output.json(report);
  output.print(summary(report, output.colors).join('\n'));
}
