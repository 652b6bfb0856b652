/**
 * Sends requests by chance to a real service and compares what is answered with what it says of
 * itself: a status that is described, a problem that is whole, and always an answer.
 */
import { createRandom, ERROR_CATALOGUE } from '@leasehold/kernel';
import { type Drawn, type Known, RequestSource } from './draw-request.ts';
import { type Answer, Client } from './http.ts';
import { type Description, isOfSnapshots, type Operation, operationsOf } from './openapi.ts';
import { type Stand, untilReady } from './stand.ts';

const WORLD = 'fuzzed';
const CLOCK = 'fuzzed-clock';
const AT_ONCE = 16;
const FINDINGS_MAX = 20;
const SHOWN_MAX = 600;
/** Ids that are asked for again; older ones are mostly dead. */
const KEPT_MAX = 200;
/** What is answered where there is no route, or no HTTP. */
const ELSEWHERE: ReadonlySet<number> = new Set([400, 403, 404, 405, 413, 415, 431]);
const PROBLEM_TEXTS = ['type', 'title', 'detail', 'code', 'field', 'value', 'remedy', 'instance'];

export type FuzzReport = {
  readonly seed: number;
  readonly requests: number;
  readonly seconds: number;
  /** How many were answered so. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Codes of what was answered with 500 and more, where that is described. */
  readonly unwell: Readonly<Record<string, number>>;
  /** Operations that were answered with less than 400 at least once, of all there are. */
  readonly succeeded: number;
  readonly operations: number;
  readonly findings: readonly string[];
};

export async function fuzz(
  stand: Stand,
  { requests, seed }: { readonly requests: number; readonly seed: number },
  onDone: (done: number) => void = () => undefined,
): Promise<FuzzReport> {
  const folders = await Promise.all([stand.seed(WORLD, true), stand.seed(CLOCK)]);
  await Promise.all(folders.map((folder) => stand.startPod(folder)));
  const [url = ''] = stand.urls;
  await Promise.all([untilReady(url, WORLD), untilReady(url, CLOCK)]);
  const run = new Fuzzing(url, seed);
  await run.prepare();
  const startMs = performance.now();
  let begun = 0;
  const one = async (): Promise<void> => {
    while (begun < requests && run.findings.size < FINDINGS_MAX) {
      begun++;
      onDone(begun);
      await run.step();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  const seconds = Math.round((performance.now() - startMs) / 100) / 10;
  await run.close();
  const logged = stand.faults.map((line) => `a service logged ${line.slice(0, SHOWN_MAX)}`);
  const findings = [...run.findings.values(), ...logged];
  return { seed, requests: begun, seconds, ...run.figures, findings };
}

class Fuzzing {
  /** By what is wrong: one of a kind is enough to mend it. */
  readonly findings = new Map<string, string>();
  readonly #client = new Client();
  readonly #url: string;
  readonly #seed: number;
  readonly #known: Known = { world: WORLD, clock: CLOCK, ids: [], requests: [], jobs: [] };
  readonly #statuses = new Map<number, number>();
  readonly #unwell = new Map<string, number>();
  readonly #succeeded = new Set<string>();
  #all: readonly Operation[] = [];
  #source: RequestSource | undefined;

  constructor(url: string, seed: number) {
    this.#url = url;
    this.#seed = seed;
  }

  get figures(): Pick<FuzzReport, 'statuses' | 'unwell' | 'succeeded' | 'operations'> {
    const statuses = Object.fromEntries([...this.#statuses].sort(([a], [b]) => a - b));
    const unwell = Object.fromEntries(this.#unwell);
    const operations = this.#all.filter((each) => !isOfSnapshots(each)).length;
    return { statuses, unwell, succeeded: this.#succeeded.size, operations };
  }

  async prepare(): Promise<void> {
    const description = await this.#get<Description>('/openapi.json');
    this.#all = operationsOf(description);
    const path = `/v1/worlds/${WORLD}/entities?world`;
    const page = await this.#get<{ readonly entities: readonly { readonly id: number }[] }>(path);
    this.#known.ids.push(...page.entities.map(({ id }) => id));
    this.#source = new RequestSource(createRandom(this.#seed), this.#all, this.#known);
  }

  async step(): Promise<void> {
    const drawn = this.#source?.draw();
    if (drawn === undefined) return;
    try {
      const answer = await this.#client.send(this.#url, drawn);
      const { status } = answer;
      this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
      this.#judge(drawn, answer);
    } catch (error) {
      this.#find(drawn, 'no answer', String(error));
    }
  }

  async close(): Promise<void> {
    const health = await this.#client.send(this.#url, { method: 'GET', path: '/health' });
    if (health.status !== 200)
      this.findings.set('health', `in the end /health is ${health.status}`);
    this.#client.close();
  }

  #judge(drawn: Drawn, answer: Answer): void {
    const { method } = drawn;
    const { status } = answer;
    const operation = this.#meant(drawn);
    // Of a path or method that is not described, only that can be said.
    const declared = operation?.statuses ?? ELSEWHERE;
    if (!declared.has(status) && !(status === 404 && isElsewhere(drawn))) {
      this.#find(drawn, status >= 500 ? 'failed' : `undeclared ${status}`, shown(answer));
    }
    if (status >= 400) {
      const fault = method === 'HEAD' ? '' : problemFault(answer);
      if (fault !== '') this.#find(drawn, fault, shown(answer));
      if (status >= 500) {
        const code = /"code":"(\w+)"/.exec(answer.text)?.[1] ?? String(status);
        this.#unwell.set(code, (this.#unwell.get(code) ?? 0) + 1);
      }
      return;
    }
    if (operation === undefined || method === 'HEAD') return;
    this.#succeeded.add(operation.id);
    if (status !== 304) this.#learn(drawn, answer);
  }

  /** The operation that a method makes of the path. */
  #meant({ method, operation }: Drawn): Operation | undefined {
    const wanted = method === 'HEAD' ? 'GET' : method;
    return this.#all.find((each) => each.path === operation.path && each.method === wanted);
  }

  /** What was made is asked for later. */
  #learn(drawn: Drawn, { headers, text }: Answer): void {
    if (!/^application\/json/.test(String(headers['content-type']))) return;
    try {
      const { entities, request, job } = JSON.parse(text) as Readonly<Record<string, unknown>>;
      const { ids, requests, jobs } = this.#known;
      if (typeof request === 'string') requests.push(request);
      if (typeof job === 'string') jobs.push(job);
      if (Array.isArray(entities)) ids.push(...entities.filter((id) => typeof id === 'number'));
      for (const list of [ids, requests, jobs]) list.splice(0, list.length - KEPT_MAX);
    } catch {
      this.#find(drawn, 'no JSON', text.slice(0, SHOWN_MAX));
    }
  }

  #find({ operation, method, path, headers, body }: Drawn, what: string, detail: string): void {
    const key = `${operation.id} ${method === operation.method ? '' : method} ${what}`;
    if (this.findings.has(key)) return;
    const sent = `${method} ${path} ${JSON.stringify(headers).slice(0, SHOWN_MAX)} ${String(body ?? '').slice(0, SHOWN_MAX)}`;
    this.findings.set(key, `${key}: ${detail} to ${sent.slice(0, 3 * SHOWN_MAX)}`);
  }

  async #get<T>(path: string): Promise<T> {
    const { text } = await this.#client.send(this.#url, { method: 'GET', path });
    return JSON.parse(text) as T;
  }
}

/** Whether the path became another one, which no route has. */
function isElsewhere({ path, operation }: Drawn): boolean {
  const parts = (path.split('?')[0] ?? '').split('/').length;
  return parts !== operation.path.split('/').length;
}

/** '' = it is a problem as RFC 9457 has it, with all that is promised of one. */
function problemFault({ status, headers, text }: Answer): string {
  const type = String(headers['content-type']);
  if (!type.startsWith('application/problem+json')) return `a ${status} of type ${type}`;
  try {
    const problem = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (problem['status'] !== status) return 'a problem of another status';
    const missing = PROBLEM_TEXTS.filter((name) => typeof problem[name] !== 'string');
    if (missing.length > 0) return `a problem without ${missing.join(', ')}`;
    const isKnown = Object.hasOwn(ERROR_CATALOGUE, String(problem['code']));
    return isKnown ? '' : `a problem with the code ${String(problem['code'])}`;
  } catch {
    return 'a problem that is no JSON';
  }
}

const shown = ({ status, text }: Answer): string => `${status} ${text.slice(0, SHOWN_MAX)}`;
