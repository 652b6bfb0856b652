/**
 * The HTTP API of entities, as a client. Refusals of the API are thrown as it words them: its
 * problem details have the code, field, value and remedy that every face of the product shows.
 */
import { type ErrorCode, LeaseholdError } from '@leasehold/kernel';

/** Above the time that the API itself waits for a request to be applied. */
const ANSWER_MS_MAX = 15_000;
/** Names of worlds in one message. */
const WORLDS_SHOWN_MAX = 20;

export type ApiAddress = {
  readonly url: string;
  /** '' = none. */
  readonly token: string;
  /** Undefined: the only one there is. */
  readonly world: string | undefined;
};

export type Asked = {
  readonly query?: readonly (readonly [string, string])[];
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export type Answer = {
  readonly status: number;
  /** Undefined: 304. */
  readonly body: unknown;
  /** '' = none. */
  readonly tag: string;
};

export type Api = {
  readonly world: string;
  /** `path` is below the world. Errors: `API_UNREACHABLE`, and whatever the API refuses with. */
  ask(method: string, path: string, asked?: Asked): Promise<Answer>;
};

/** Errors: `API_UNREACHABLE`; `SETTING_INVALID` where the world must be named. */
export async function openApi(address: ApiAddress): Promise<Api> {
  const world = address.world ?? (await onlyWorld(address));
  const below = `/v1/worlds/${encodeURIComponent(world)}`;
  return { world, ask: (method, path, asked) => answerOf(address, method, below + path, asked) };
}

async function onlyWorld(address: ApiAddress): Promise<string> {
  const { body } = await answerOf(address, 'GET', '/v1/worlds');
  const known = (body as { worlds?: readonly { world: string }[] } | undefined)?.worlds;
  if (!Array.isArray(known)) throw noApi(address.url, 'what answers there is another service');
  const [only, ...others] = known.map(({ world }) => world);
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined) {
    throw new LeaseholdError('WORLD_UNKNOWN', `the API at ${address.url} has no world`, {
      field: '--world',
      value: '',
      remedy: 'Run one with the same home: leasehold run WORLD --lifecycle 1.',
    });
  }
  const names = [only, ...others].slice(0, WORLDS_SHOWN_MAX).join(', ');
  throw new LeaseholdError('SETTING_INVALID', `the API has ${known.length} worlds`, {
    field: '--world',
    value: '',
    remedy: `Name one of them with --world: ${names}.`,
  });
}

async function answerOf(
  { url, token }: ApiAddress,
  method: string,
  path: string,
  { query = [], body, headers = {} }: Asked = {},
): Promise<Answer> {
  const text = new URLSearchParams(
    query.map(([name, value]): [string, string] => [name, value]),
  ).toString();
  const init: RequestInit = {
    method,
    headers: {
      ...headers,
      connection: 'close',
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  };
  let answer: Response;
  let said: string;
  try {
    answer = await fetch(`${url}${path}${text === '' ? '' : `?${text}`}`, init);
    said = await answer.text();
  } catch (error) {
    throw noApi(url, whyOf(error), error);
  }
  const tag = answer.headers.get('etag') ?? '';
  if (answer.status === 304) return { status: 304, body: undefined, tag };
  const value = parsed(said);
  if (answer.ok && value !== undefined) return { status: answer.status, body: value, tag };
  throw refusalOf(value) ?? noApi(url, 'what answers there is another service');
}

/** As the API words it: its codes are those of the product. */
function refusalOf(value: unknown): LeaseholdError | undefined {
  const problem = value as Readonly<Record<string, unknown>> | null | undefined;
  const { code, detail, field, value: wrong, remedy } = problem ?? {};
  if (typeof code !== 'string' || typeof detail !== 'string') return undefined;
  return new LeaseholdError(code as ErrorCode, detail, {
    field: String(field ?? ''),
    value: String(wrong ?? ''),
    remedy: code === 'TOKEN_REFUSED' ? TOKEN_REMEDY : String(remedy ?? ''),
  });
}

const TOKEN_REMEDY = 'Put the token of the API into LEASEHOLD_API_TOKEN.';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer in ${ANSWER_MS_MAX / 1000} s`;
  const { cause } = error;
  const reason = cause as NodeJS.ErrnoException | undefined;
  // Of several addresses that were tried, Node says the code alone.
  return reason?.message || reason?.code || error.message;
}

function noApi(url: string, why: string, cause?: unknown): LeaseholdError {
  return new LeaseholdError(
    'API_UNREACHABLE',
    `no Leasehold API answers at ${url}: ${why}`,
    {
      field: '--api',
      value: url,
      remedy: 'Start one with leasehold run WORLD --lifecycle 1, or give --api or LEASEHOLD_API.',
    },
    { cause },
  );
}
