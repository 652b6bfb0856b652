/**
 * `npm run simulate`: many seeds, each a world that lives through faults in virtual time.
 *
 * Exit codes: 0 every promise held, or with `--break` every break was noticed; 1 not so; 2 it was
 * asked for what is not there.
 */
import { parseArgs } from 'node:util';
import { BREAK_SEEDS_MAX, BREAKS, isBreak } from './simulation/breaks.ts';
import { type RunResult, runSeed } from './simulation/run.ts';
import { runSwarm, type Swarm } from './simulation/swarm.ts';
import type { LineKind } from './simulation/trace.ts';
import { duel } from './trace/duel.ts';

const USAGE = `Usage: npm run simulate -- [options]

  --seeds N      run N seeds (default 100)
  --from S       beginning with this one (default 1)
  --seed S       run one seed and print what happened in it
  --calls        with --seed: every call to the store as well
  --break NAME   put a known bug into the store and see that it is noticed; 'all' for each in turn
  --traces N     make N calls on the twin and on a real server, and compare every answer
  --json         print the summary as one line of JSON
  --help         print this

Breaks:
${Object.entries(BREAKS)
  .map(([name, what]) => `  ${name.padEnd(14)} ${what}`)
  .join('\n')}
`;

/** Seeds, which take about half a second each. */
const SAID_EVERY = 50;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function shown({ seeds, virtualS, realS, timesRealTime, ...rest }: Swarm): string[] {
  const { failures, excused, repeated, calls, commits, crossings, faults } = rest;
  const injected = Object.values(faults).reduce((sum, count) => sum + count, 0);
  const kinds = Object.entries(faults).map(([kind, count]) => `${kind} ${count}`);
  return [
    `${seeds} seeds, ${failures.length} failed, ${excused} with a frozen cell, ${repeated} run twice`,
    `${virtualS.toFixed(0)} s of virtual time in ${realS.toFixed(1)} s: ${timesRealTime.toFixed(0)} × real time of one processor`,
    `${calls} calls, ${commits} commits, ${crossings} crossings, ${injected} faults: ${kinds.join(', ')}`,
  ];
}

/** One line that is written over, for people who wait; where that cannot be, one every so often. */
function progress(done: number, of: number): void {
  const { isTTY } = process.stderr;
  if (!isTTY && (done % SAID_EVERY !== 0 || done === of)) return;
  process.stderr.write(
    `${isTTY ? '\r' : ''}${done} of ${of} seeds${isTTY && done < of ? '' : '\n'}`,
  );
}

async function replay(seed: number, hasCalls: boolean, defect: string): Promise<number> {
  const keeps: LineKind[] = ['fault', 'event', 'log'];
  if (hasCalls) keeps.push('call');
  const defects = isBreak(defect) ? [defect] : [];
  const result: RunResult = await runSeed(seed, { keeps, defects });
  for (const line of result.lines) say(line);
  say(`options ${JSON.stringify(result.plan)}`);
  say(`trace ${result.traceHash}, state ${result.stateHash}`);
  say(result.failure === '' ? `seed ${seed} ends well` : `seed ${seed} FAILS: ${result.failure}`);
  return result.failure === '' ? 0 : 1;
}

async function swarm(from: number, seeds: number, isJson: boolean): Promise<number> {
  const result = await runSwarm({
    ...{ from, seeds },
    onSeed: (done) => progress(done, seeds),
  });
  for (const { seed, failure, plan } of isJson ? [] : result.failures) {
    say(`seed ${seed} FAILS: ${failure}\n  options ${JSON.stringify(plan)}`);
    say(`  again: npm run simulate -- --seed ${seed}`);
  }
  for (const line of isJson ? [JSON.stringify(result)] : shown(result)) say(line);
  return result.failures.length === 0 ? 0 : 1;
}

async function breaks(name: string, from: number): Promise<number> {
  const names = name === 'all' ? Object.keys(BREAKS).filter(isBreak) : [name].filter(isBreak);
  if (names.length === 0) {
    process.stderr.write(`no break is called ${name}\n\n${USAGE}`);
    return 2;
  }
  let missed = 0;
  for (const defect of names) {
    const options = { from, seeds: BREAK_SEEDS_MAX, defects: [defect], stopsAtFailure: true };
    const { failures, seeds } = await runSwarm(options);
    const [first] = failures;
    if (first === undefined) missed++;
    const found = first && `noticed after ${seeds} seeds (seed ${first.seed}): ${first.failure}`;
    say(`${defect.padEnd(14)} ${found ?? `NOT NOTICED in ${seeds} seeds`}`);
  }
  return missed === 0 ? 0 : 1;
}

async function traces(firstTrace: number, calls: number, isJson: boolean): Promise<number> {
  const startMs = performance.now();
  const { differences, ...rest } = await duel({ calls, firstTrace });
  const seconds = (performance.now() - startMs) / 1_000;
  if (isJson) say(JSON.stringify({ differences, ...rest, seconds }));
  else {
    for (const { trace, step, call, server, twin } of differences) {
      say(`trace ${trace}, step ${step}, ${call}:\n  server ${server}\n  twin   ${twin}`);
    }
    const kinds = Object.entries(rest.answers).map(([kind, count]) => `${kind} ${count}`);
    say(
      `${rest.calls} calls in ${rest.traces} traces, ${seconds.toFixed(1)} s: ${kinds.join(', ')}`,
    );
    say(`${differences.length} answers differ`);
  }
  return differences.length === 0 ? 0 : 1;
}

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`no whole number: ${text}`);
  return number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      calls: { type: 'boolean', default: false },
      break: { type: 'string' },
      traces: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const from = whole(values.from);
  if (values.seed !== undefined)
    return replay(whole(values.seed), values.calls, values.break ?? '');
  if (values.break !== undefined) return breaks(values.break, from);
  if (values.traces !== undefined) return traces(from, whole(values.traces), values.json);
  return swarm(from, whole(values.seeds), values.json);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
