/**
 * The terminal view of a running world: the world's figures, its pods, what one may do now, and
 * what happened last. The most important is on top: a low terminal loses the oldest events, nothing
 * else.
 */
import type { AuditStatus } from '@leasehold/protocol';
import type { Pod } from './fleet.ts';
import type { Colors } from './output.ts';

export type ViewFacts = {
  readonly world: string;
  /** Of the map, '' when none is served. */
  readonly address: string;
  readonly mode: string;
  readonly elapsedS: number;
  readonly pods: readonly Pod[];
  readonly audit: AuditStatus | undefined;
  readonly takeovers: number;
  readonly handovers: number;
  readonly kills: number;
  readonly stops: number;
  readonly commitsPerS: ReadonlyMap<string, number>;
  /** Last events, newest first. */
  readonly events: readonly string[];
};

/** More than this on one terminal are read by nobody; the rest is told as a number. */
const ROWS_MAX = 12;

const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

export function viewLines(facts: ViewFacts, colors: Colors): string[] {
  const { bold, dim } = colors;
  const { audit, pods } = facts;
  const alive = pods.filter(({ child }) => child.exit === undefined);
  const shown = alive.slice(0, ROWS_MAX);
  const head =
    `${bold(facts.world)}  ${facts.mode}, ${facts.elapsedS.toFixed(0)} s` +
    (audit === undefined ? '' : `, tick ${audit.tick}`);
  const title =
    `  ${'pod'.padEnd(14)}${'pid'.padStart(8)}${'state'.padStart(10)}${'cells'.padStart(7)}` +
    `${'entities'.padStart(10)}${'tick ms'.padStart(9)}${'commits/s'.padStart(11)}`;
  return [
    ...(facts.address === '' ? [] : [addressLine(facts.address, colors)]),
    head,
    ...(audit === undefined ? [] : [figures(audit, colors)]),
    dim(title),
    ...shown.map((pod) => podLine(pod, facts.commitsPerS.get(pod.name) ?? 0, colors)),
    ...(alive.length > shown.length ? [dim(`  and ${alive.length - shown.length} more`)] : []),
    `  ${count(alive.length, 'pod')}, ${count(facts.takeovers, 'takeover')}, ` +
      `${count(facts.handovers, 'handover')}, ${count(facts.kills, 'kill')}, ` +
      `${count(facts.stops, 'freeze')}`,
    dim(`  ${hint(alive)}`),
    ...facts.events.map((event) => dim(event)),
  ];
}

export function addressLine(address: string, { bold, cyan }: Colors): string {
  return `${bold('map')}  ${cyan(address)}`;
}

function figures(audit: AuditStatus, { green, red }: Colors): string {
  const { alive, created, deleted, inFlight, violations } = audit;
  const verdict =
    violations === 0 ? green('no violation') : red(count(violations, 'violation').toUpperCase());
  return `  ${alive} entities (${created} born, ${deleted} died, ${inFlight} between cells), ${verdict}`;
}

function hint(alive: readonly Pod[]): string {
  const [first, second] = alive.filter(({ state }) => state === 'running');
  const kill =
    first === undefined || second === undefined
      ? ''
      : `kill -9 ${first.child.pid}: the others take its cells. `;
  return `${kill}Ctrl-C ends it; the world stays.`;
}

function podLine(pod: Pod, commitsPerS: number, { yellow, green }: Colors): string {
  const { report } = pod;
  const cell = (name: string, width: number, digits = 0): string =>
    (report[name] === undefined ? '-' : report[name].toFixed(digits)).padStart(width);
  const paint = pod.state === 'running' ? green : yellow;
  return (
    `  ${pod.name.padEnd(14)}${String(pod.child.pid).padStart(8)}${paint(pod.state.padStart(10))}` +
    `${cell('cells', 7)}${cell('entities', 10)}${cell('tickMsP50', 9, 2)}` +
    commitsPerS.toFixed(0).padStart(11)
  );
}

/** One line for outputs that cannot be redrawn. */
export function plainLine(facts: ViewFacts): string {
  const { audit } = facts;
  const alive = facts.pods.filter(({ child }) => child.exit === undefined).length;
  return (
    `${facts.elapsedS.toFixed(0)} s, tick ${audit?.tick ?? 0}, ` +
    `${count(audit?.alive ?? 0, 'entity', 'entities')}, ` +
    `${count(alive, 'pod')}, ${count(facts.takeovers, 'takeover')}, ` +
    `${count(audit?.violations ?? 0, 'violation')}`
  );
}
