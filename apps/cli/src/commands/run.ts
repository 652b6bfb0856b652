/** `leasehold run`: a world with some pods for some time, judged at the end. */
import { openInterrupt } from '../interrupt.ts';
import type { RunOptions } from '../options.ts';
import type { Output } from '../output.ts';
import { type Report, summary } from '../report.ts';
import { Session, type SessionHooks } from '../session.ts';
import { checkWorld, openStoredWorld } from '../stored-world.ts';

/** Returns the exit code: 0 when nothing was lost, doubled or broken, else 1. Throws bad input. */
export async function run(
  options: RunOptions,
  output: Output,
  hooks: SessionHooks = {},
): Promise<number> {
  const checked = await checkWorld(options);
  if (options.isLockstep) {
    output.progress(`lockstep runs in a world of its own, ${checked.name}, and begins anew`);
  }
  let session: Session | undefined;
  const interrupt = openInterrupt(
    () => output.progress('ending; Ctrl-C again leaves at once'),
    () => session?.fleet.killAll(),
  );
  try {
    const world = await openStoredWorld(options, checked, output);
    try {
      session = new Session(world, options, output, interrupt.signal);
      const report = await judged(session, hooks);
      say(report, output);
      return report.exitCode;
    } finally {
      await session?.close();
      await world.close();
    }
  } finally {
    interrupt.close();
  }
}

async function judged(session: Session, hooks: SessionHooks): Promise<Report> {
  await session.start();
  await session.live(hooks);
  return session.finish();
}

function say(report: Report, output: Output): void {
  output.json(report);
  output.print(summary(report, output.colors).join('\n'));
}
