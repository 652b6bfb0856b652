/**
 * Letters: events and requests on their way to an entity, wherever it is. A channel carries them
 * beside rows: those for a neighbouring cell, or the own one, in one entry for each destination; what
 * the holder is to bring elsewhere itself, in one entry for the `OUTBOX`.
 */
import { LeaseholdError } from '@leasehold/kernel';
import { ByteReader, ByteWriter } from './bytes.ts';
import { type BodyKind, FORMAT_VERSION, KIND, readHeader, writeHeader } from './header.ts';
import type { Json } from './json.ts';
import type { DeadReason } from './life-store.ts';
import { decodeRequest, type EntityRequest, type RequestAnswer } from './request.ts';
import type { LayerSchema } from './schema.ts';

/** The destination of channel entries that are for no cell: numbers of cells are below it. */
export const OUTBOX = 2 ** 20;

export type Letter = {
  readonly to: number;
  /** The entity that emitted it; 0: the outside. */
  readonly from: number;
  /** When it was emitted, and its place among all that the cell emitted then. */
  readonly tick: number;
  readonly n: number;
  /** Its number among the letters of this producer to this entity, and of the one before; 0: none. */
  readonly seq: number;
  readonly before: number;
  /** The request that asked for it and waits for an answer; '' for none. */
  readonly post: string;
  /** '' when it is a request. */
  readonly event: string;
  /** Values by field name. */
  readonly payload: Readonly<Record<string, Json>>;
  /** What is to be done to the entity instead of an event. */
  readonly request?: Extract<EntityRequest, { kind: 'patch' | 'delete' | 'ended' }>;
  /** Set aside by a holder that takes one letter at a time, because another died on them. */
  readonly isSuspect?: boolean;
  /** The number of the layer that it is for; absent: the one that it is in. */
  readonly layer?: number;
  /** The number of the layer that emitted it; absent: the one that it is for. */
  readonly fromLayer?: number;
};

/** A letter that nobody can take, and why. */
export type Undelivered = {
  readonly letter: Letter;
  readonly reason: DeadReason;
  readonly message: string;
};

/** What the holder of a cell does when the tick is committed, once or more than once. */
export type Outbox = {
  /** To entities that are neither here nor around. */
  readonly far: readonly Letter[];
  readonly dead: readonly Undelivered[];
  readonly answers: readonly { readonly id: string; readonly answer: RequestAnswer }[];
};

/** The entry of a cell's channel by which a letter came to be posted. */
export type MailSource = { readonly layer: string; readonly cell: number; readonly seq: number };

/** Ids of what a holder sends of its own accord: nobody waits for an answer. */
export const UNASKED = '~';

/** The id of a post: the same whoever brings it, and however often. `i`: its place in the entry. */
export function mailId({ layer, cell, seq }: MailSource, i: number): string {
  return `${layer}:${cell}:${seq}:${i}`;
}

/** Of an id that `mailId` made; undefined of any other. */
export function mailSource(id: string): MailSource | undefined {
  const match = /^~?([A-Za-z0-9_-]+):(\d+):(\d+):\d+$/.exec(id);
  if (match === null) return undefined;
  const [, layer = '', cell, seq] = match;
  return { layer, cell: Number(cell), seq: Number(seq) };
}

const encoder = new TextEncoder();
const scratch = new ByteWriter();

/** What kind of body a channel entry has; anything unknown is taken for rows, and refused as such. */
export function channelKind(body: Uint8Array): 'rows' | 'mail' | 'outbox' {
  const kind = body[KIND_AT];
  if (kind === KIND.mail) return 'mail';
  return kind === KIND.outbox ? 'outbox' : 'rows';
}

/** Behind the version and the hash of the schema. */
const KIND_AT = 9;

export function encodeMail(schema: LayerSchema, letters: readonly Letter[]): Uint8Array {
  return encodeText(schema, 'mail', letters.map(letterRow));
}

/** Throws `BODY_MALFORMED`. */
export function decodeMail(body: Uint8Array): Letter[] {
  return listOf(decodeText(body, 'mail'), 'letters').map(readLetter);
}

export function encodeOutbox(schema: LayerSchema, { far, dead, answers }: Outbox): Uint8Array {
  const deadRows = dead.map(({ letter, reason, message }) => [letterRow(letter), reason, message]);
  const answerRows = answers.map(({ id, answer }) => [id, answer]);
  return encodeText(schema, 'outbox', [far.map(letterRow), deadRows, answerRows]);
}

/** Throws `BODY_MALFORMED`. */
export function decodeOutbox(body: Uint8Array): Outbox {
  const [far, dead, answers] = listOf(decodeText(body, 'outbox'), 'parts');
  return {
    far: listOf(far, 'far letters').map(readLetter),
    dead: listOf(dead, 'dead letters').map((row) => {
      const [letter, reason, message] = listOf(row, 'a dead letter');
      return {
        letter: readLetter(letter),
        reason: reason as DeadReason,
        message: text(message, 'message'),
      };
    }),
    answers: listOf(answers, 'answers').map((row) => {
      const [id, answer] = listOf(row, 'an answer');
      return { id: text(id, 'id'), answer: record(answer, 'answer') as RequestAnswer };
    }),
  };
}

/** What is posted to an inbox: a request as `encodeRequest` makes it, or letters. */
export function decodePost(
  body: Uint8Array,
): { readonly request: EntityRequest } | { readonly letters: readonly Letter[] } {
  if (body[0] === FORMAT_VERSION) return { letters: decodeMail(body) };
  return { request: decodeRequest(body) };
}

/**
 * The tick at whose end a post was written: only a later one may take it. 0: it came from outside, or
 * says nothing that can be understood.
 */
export function postTick(body: Uint8Array): number {
  if (body[0] === FORMAT_VERSION && channelKind(body) !== 'mail') return 0;
  try {
    const post = decodePost(body);
    return 'letters' in post ? Math.max(0, ...post.letters.map(({ tick }) => tick)) : 0;
  } catch (error) {
    if (error instanceof LeaseholdError) return 0;
    throw error;
  }
}

function letterRow(letter: Letter): readonly Json[] {
  const { to, from, tick, n, seq, before, post, event, payload, request, isSuspect } = letter;
  const { layer, fromLayer } = letter;
  const row = [to, from, tick, n, seq, before, post, event, payload as Json];
  const isInside = layer === undefined && fromLayer === undefined;
  if (request === undefined && isSuspect !== true && isInside) return row;
  const asked = (request ?? null) as unknown as Json;
  if (isInside) return [...row, asked, isSuspect === true];
  return [...row, asked, isSuspect === true, layer ?? -1, fromLayer ?? -1];
}

function readLetter(row: unknown): Letter {
  const columns = listOf(row, 'a letter');
  const [to, from, tick, n, seq, before, post, event, payload, request, suspect] = columns;
  const [, , , , , , , , , , , layer = -1, fromLayer = -1] = columns;
  return {
    to: whole(to, 'to'),
    from: whole(from, 'from'),
    tick: whole(tick, 'tick'),
    n: whole(n, 'n'),
    seq: whole(seq, 'seq'),
    before: whole(before, 'before'),
    post: text(post, 'post'),
    event: text(event, 'event'),
    payload: record(payload, 'payload') as Letter['payload'],
    ...(request === undefined || request === null ? {} : { request: asked(request) }),
    ...(suspect === true ? { isSuspect: true } : {}),
    ...(layer === -1 ? {} : { layer: whole(layer, 'layer') }),
    ...(fromLayer === -1 ? {} : { fromLayer: whole(fromLayer, 'fromLayer') }),
  };
}

function asked(value: unknown): NonNullable<Letter['request']> {
  const request = decodeRequest(encoder.encode(JSON.stringify(value)));
  const { kind } = request;
  if (kind === 'patch' || kind === 'delete' || kind === 'ended') return request;
  throw malformed(`a request of kind ${request.kind}`);
}

function encodeText(schema: LayerSchema, kind: BodyKind, value: unknown): Uint8Array {
  const writer = scratch.reset();
  writeHeader(writer, schema, kind);
  writer.raw(encoder.encode(JSON.stringify(value)));
  return writer.finish();
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function decodeText(body: Uint8Array, kind: BodyKind): unknown {
  readHeader(new ByteReader(body, 'channel'), kind);
  try {
    return JSON.parse(decoder.decode(body.subarray(KIND_AT + 1)));
  } catch (cause) {
    throw malformed('no JSON', cause);
  }
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw malformed(`${what}: no list`);
}

function whole(value: unknown, what: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw malformed(`${what}: no whole number`);
}

function text(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw malformed(`${what}: no text`);
}

function record(value: unknown, what: string): unknown {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw malformed(`${what}: no object`);
}

function malformed(what: string, cause?: unknown): LeaseholdError {
  return new LeaseholdError(
    'BODY_MALFORMED',
    `a letter of a channel or inbox cannot be read: ${what}`,
    {
      field: 'letter',
      value: what,
      remedy: 'It is damaged or from a newer build; run `leasehold audit` on the world.',
    },
    { cause },
  );
}
