/**
 * `npm run prove:api`: histories of mixed operations, repeated, cut off and asked twice, against a
 * model; and requests by chance, of which none may be answered with what is not described. Real
 * Redis, pods and services. Exit code 1 when something was found.
 */
import { parseArgs } from 'node:util';
import { type FuzzReport, fuzz } from './api/fuzz.ts';
import { type HistoryReport, proveHistories } from './api/histories.ts';
import { Stand } from './api/stand.ts';

const OPERATIONS = 10_000;
const REQUESTS = 50_000;

const HELP = `npm run prove:api -- [options]

  --operations N  operations of a history, compared with a model (${OPERATIONS})
  --fuzz N        requests by chance, compared with the description of the API (${REQUESTS})
                  With one of the two, only that is proved.
  --seed S        where they begin (a new one each time)
  --json          one JSON value on stdout
  --help
`;

const OPTIONS = {
  operations: { type: 'string' },
  fuzz: { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const TOLD_EVERY = 500;

type Report = { readonly history?: HistoryReport; readonly fuzz?: FuzzReport };

const say = (text: string): void => void process.stderr.write(text);

async function prove(operations: number, requests: number, seed: number): Promise<Report> {
  const stand = await Stand.open();
  try {
    await Promise.all([stand.startService(), stand.startService()]);
    const history =
      operations > 0
        ? await proveHistories(stand, { operations, seed }, progress('operations', operations))
        : undefined;
    const fuzzed =
      requests > 0
        ? await fuzz(stand, { requests, seed }, progress('requests', requests))
        : undefined;
    return { ...(history && { history }), ...(fuzzed && { fuzz: fuzzed }) };
  } finally {
    await stand.close();
  }
}

const progress =
  (what: string, total: number) =>
  (done: number): void => {
    if (process.stderr.isTTY && done % TOLD_EVERY === 0) say(`\r${what}: ${done} of ${total} `);
  };

function words({ history, fuzz: fuzzed }: Report): string {
  const lines: string[] = [];
  if (history !== undefined) {
    const { operations, seconds, kills, sent, lost, alive, deleted } = history;
    lines.push(
      `${operations} operations in ${seconds} s, ${sent} requests of which ${lost} were cut off, ` +
        `${kills} processes killed: ${alive} entities alive, ${deleted} deleted`,
      history.findings.length === 0 ? 'as the model has it' : 'NOT as the model has it',
    );
  }
  if (fuzzed !== undefined) {
    const { requests, seconds, statuses, succeeded, operations } = fuzzed;
    const counts = Object.entries(statuses).map(([status, count]) => `${status}: ${count}`);
    lines.push(
      `${requests} requests by chance in ${seconds} s; ${counts.join(', ')}`,
      `${succeeded} of ${operations} operations were got through to`,
      fuzzed.findings.length === 0 ? 'all as described' : 'NOT as described',
    );
  }
  const findings = [...(history?.findings ?? []), ...(fuzzed?.findings ?? [])];
  return [...lines, ...findings, ''].join('\n');
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  const isWhole = values.operations === undefined && values.fuzz === undefined;
  const operations = Number(values.operations ?? (isWhole ? OPERATIONS : 0));
  const requests = Number(values.fuzz ?? (isWhole ? REQUESTS : 0));
  const seed = Number(values.seed ?? Date.now() % 1_000_000_007);
  const isBad = ![operations, requests, seed].every(
    (value) => Number.isInteger(value) && value >= 0,
  );
  if (values.help || isBad) {
    (values.help ? process.stdout : process.stderr).write(HELP);
    return values.help ? 0 : 2;
  }
  const report = await prove(operations, requests, seed);
  if (process.stderr.isTTY) say('\r\u001b[K');
  process.stdout.write(
    values.json ? `${JSON.stringify(report)}\n` : `seed ${seed}\n${words(report)}`,
  );
  const { history, fuzz: fuzzed } = report;
  return (history?.findings.length ?? 0) + (fuzzed?.findings.length ?? 0) > 0 ? 1 : 0;
}

process.exitCode = await main();
