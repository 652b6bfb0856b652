/** `leasehold chaos`: a world under faults, watched from outside, and a report of what held. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findSource, missing } from '@leasehold/servers';
import { ChaosRun } from '../chaos/chaos-run.ts';
import { type ChaosOptions, runOptionsOf } from '../chaos/options.ts';
import { chaosPage } from '../chaos/page.ts';
import { type ChaosReport, chaosSummary } from '../chaos/report.ts';
import { openInterrupt } from '../interrupt.ts';
import type { Output } from '../output.ts';
import { checkWorld } from '../stored-world.ts';

/** Returns the exit code: 0 when every promise held, else 1. Throws bad input. */
export async function chaos(
  options: ChaosOptions,
  output: Output,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const checked = await checkWorld(runOptionsOf(options, '.'));
  const binary = await redisProgram(output, env);
  if (options.reportFolder !== '') await mkdir(options.reportFolder, { recursive: true });
  let run: ChaosRun | undefined;
  const interrupt = openInterrupt(
    () => output.progress('ending, with a report of what was seen; Ctrl-C again leaves at once'),
    () => run?.killAll(),
  );
  try {
    run = await ChaosRun.open(options, checked, { output, signal: interrupt.signal, binary });
    const report = await run.run();
    await write(report, options.reportFolder, output);
    output.json(report);
    output.print(chaosSummary(report, output.colors).join('\n'));
    return report.exitCode;
  } finally {
    await run?.close();
    interrupt.close();
  }
}

/** Servers are killed and promoted here, so they must be this command's own. */
async function redisProgram(output: Output, env: NodeJS.ProcessEnv): Promise<string> {
  const reasons: string[] = [];
  const own = { ...env, REDIS_URL: '' };
  const source = await findSource({ env: own, log: (line) => output.progress(line) }, reasons);
  if (source?.kind !== 'binary') throw missing(reasons);
  return source.binary;
}

async function write(report: ChaosReport, folder: string, output: Output): Promise<void> {
  if (folder === '') return;
  await writeFile(join(folder, 'report.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  await writeFile(join(folder, 'report.html'), chaosPage(report));
  output.progress(`the report is in ${folder}: report.html, report.json`);
}
