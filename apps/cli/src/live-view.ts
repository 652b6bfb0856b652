/** The terminal view of a running world: pods, the world's figures, and what happened last. */
import type { AuditStatus } from './auditor-process.ts';
import type { Pod } from './fleet.ts';
import type { Colors } from './output.ts';

export type ViewFacts = {
  readonly world: string;
  readonly mode: string;
  readonly elapsedS: number;
  readonly pods: readonly Pod[];
  readonly audit: AuditStatus | undefined;
  readonly takeovers: number;
  readonly kills: number;
  readonly stops: number;
  readonly commitsPerS: ReadonlyMap<string, number>;
  /** Last events, newest last. */
  readonly events: readonly string[];
};

/** Pods that have ended are shown only while few of them are. */
const ROWS_MAX = 16;

export function viewLines(facts: ViewFacts, colors: Colors): string[] {
  const { bold, dim } = colors;
  const { audit } = facts;
  const head =
    `${bold(facts.world)} ${facts.mode}  ${facts.elapsedS.toFixed(0)} s` +
    (audit === undefined
      ? ''
      : `  tick ${audit.tick}  ${audit.alive} alive, +${audit.created} −${audit.deleted}, ` +
        `${audit.inFlight} in flight`);
  const title = dim(
    `  ${'pod'.padEnd(12)}${'pid'.padStart(8)}${'state'.padStart(10)}${'cells'.padStart(7)}` +
      `${'entities'.padStart(10)}${'tick ms'.padStart(9)}${'commits/s'.padStart(11)}`,
  );
  const shown = facts.pods.filter(({ child }) => child.exit === undefined).slice(0, ROWS_MAX);
  return [
    head,
    title,
    ...shown.map((pod) => podLine(pod, facts.commitsPerS.get(pod.name) ?? 0, colors)),
    statusLine(facts, colors),
    ...facts.events.map((event) => dim(`  ${event}`)),
  ];
}

function podLine(pod: Pod, commitsPerS: number, { yellow, green }: Colors): string {
  const { report } = pod;
  const cell = (name: string, width: number, digits = 0): string =>
    (report[name] === undefined ? '-' : report[name].toFixed(digits)).padStart(width);
  const paint = pod.state === 'running' ? green : yellow;
  return (
    `  ${pod.name.padEnd(12)}${String(pod.child.pid).padStart(8)}${paint(pod.state.padStart(10))}` +
    `${cell('cells', 7)}${cell('entities', 10)}${cell('tickMsP50', 9, 2)}` +
    commitsPerS.toFixed(0).padStart(11)
  );
}

function statusLine(facts: ViewFacts, { green, red, dim }: Colors): string {
  const { audit } = facts;
  const found = audit?.violations ?? 0;
  const verdict = found === 0 ? green('no violation') : red(`${found} violations`);
  const counts = `${facts.takeovers} takeovers, ${facts.kills} kills, ${facts.stops} stops`;
  return `  ${verdict} ${dim('·')} ${counts}`;
}

/** One line for outputs that cannot be redrawn. */
export function plainLine(facts: ViewFacts): string {
  const { audit } = facts;
  const alive = facts.pods.filter(({ child }) => child.exit === undefined).length;
  return (
    `${facts.elapsedS.toFixed(0)} s  tick ${audit?.tick ?? 0}  ${audit?.alive ?? 0} entities  ` +
    `${alive} pods  ${facts.takeovers} takeovers  ${audit?.violations ?? 0} violations`
  );
}
