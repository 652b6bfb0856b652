/** `leasehold audit`: the auditor alone, on a world that lives or rests. */

import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseholdError } from '@leasehold/kernel';
import type { Verdict } from '../auditor-process.ts';
import { Auditors } from '../auditors.ts';
import { withColdCells } from '../cold-database.ts';
import { openInterrupt } from '../interrupt.ts';
import type { Output } from '../output.ts';
import { coldUrlOf, commandRegistry } from '../registry.ts';
import { exitReasons } from '../report.ts';
import { checkWorld, openCheckedServers } from '../stored-world.ts';

export type AuditOptions = {
  readonly folder: string;
  readonly home: string;
  /** How long the world is followed; 0 = until told to stop. */
  readonly seconds: number;
  readonly isLockstep: boolean;
};

export function audit(options: AuditOptions, output: Output): Promise<number> {
  return withColdCells(options.home, output, (url) => audited(options, output, url));
}

async function audited(
  options: AuditOptions,
  output: Output,
  snapshotsUrl: string,
): Promise<number> {
  const { home, folder, isLockstep } = options;
  const checked = await checkWorld({ folder, home, isLockstep, seed: -1, isFresh: false });
  const { name: world, engines, engine, loaded } = checked;
  const record = await (await commandRegistry({ home }, output)).read(world);
  if (record?.state !== 'ready') {
    throw new LeaseholdError('WORLD_NOT_READY', `${world} was never run from ${home}`, {
      field: 'world',
      value: world,
      remedy: 'Run it first, or name its home with --home.',
    });
  }
  const servers = await openCheckedServers(home, output);
  const { redisUrl } = servers;
  const { incarnation } = record;
  const coldUrl = coldUrlOf({ snapshotsUrl });
  const target = { redisUrl, world, incarnation, grid: loaded.grid, snapshotsUrl: coldUrl };
  const layers = engines.map(({ schema }) => schema.layer);
  const auditor = new Auditors(target, layers, engine.layers);
  const interrupt = openInterrupt(
    () => output.progress('counting for the last time'),
    () => undefined,
  );
  try {
    const { entities, tick } = await auditor.ready();
    output.progress(`${world}, incarnation ${incarnation}: ${entities} entities at tick ${tick}`);
    await follow(auditor, options.seconds, interrupt.signal, output);
    const verdict = await auditor.verdict();
    // A world that is followed while it lives is never at rest; that alone is no fault here.
    const reasons = exitReasons({ ...verdict, isAtRest: true }, []);
    output.json({ ...verdict, exitCode: reasons.length === 0 ? 0 : 1, reasons });
    output.print(lines(verdict, reasons).join('\n'));
    return reasons.length === 0 ? 0 : 1;
  } finally {
    interrupt.close();
    await auditor.close();
    await servers.close();
  }
}

async function follow(
  auditor: Auditors,
  seconds: number,
  signal: AbortSignal,
  output: Output,
): Promise<void> {
  const untilMs = seconds > 0 ? performance.now() + seconds * 1000 : Number.POSITIVE_INFINITY;
  while (!signal.aborted && performance.now() < untilMs) {
    const { status } = auditor;
    if (status !== undefined) {
      output.live([
        `  tick ${status.tick}  ${status.alive} alive, +${status.created} −${status.deleted}, ` +
          `${status.inFlight} in flight, ${status.violations} violations`,
      ]);
    }
    await sleep(200, undefined, { signal }).catch(() => undefined);
  }
}

function lines(verdict: Verdict, reasons: readonly string[]): string[] {
  const state = verdict.isAtRest ? 'at rest' : 'living';
  return [
    `${reasons.length === 0 ? 'whole' : 'NOT WHOLE'} (${state}): ${verdict.entitiesEnd} entities, ` +
      `${verdict.created} created, ${verdict.deleted} deleted, ${verdict.lost} lost, ` +
      `${verdict.duplicated} duplicated, ${verdict.violationCount} violations`,
    ...verdict.violations.map(({ rule, cell, message }) => `  ${rule} cell ${cell}: ${message}`),
    ...verdict.lostEntities.map(({ id, last }) => `  lost ${id}, last in ${last}`),
    ...verdict.duplicatedEntities.map(({ id, places }) => `  doubled ${id}: ${places.join(', ')}`),
    ...(reasons.length === 0 ? [] : [`  because ${reasons.join('; ')}`]),
  ];
}
