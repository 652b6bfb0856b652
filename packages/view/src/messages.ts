/** What clients say, checked to the last key before anything is done with it. */
import { LeaseholdError, NAME_PATTERN } from '@leasehold/kernel';
import type { ClientMessage } from '@leasehold/protocol/view';
import { type TSchema, Type } from 'typebox';
import Value from 'typebox/value';

const strict = { additionalProperties: false };
const IDS_MAX = 65_535;
const NAMES_MAX = 32;
const POINTS_MAX = 128;
const RESYNC_CELLS_MAX = 256;
const RATE_HZ_MAX = 60;
const VALUE_SHOWN_MAX = 60;

/** Bounds of numbers in areas are checked against the world, by the area itself. */
const number = Type.Number();
const id = Type.Integer({ minimum: 1, maximum: IDS_MAX });
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const names = Type.Array(Type.String({ pattern: NAME_PATTERN.source }), { maxItems: NAMES_MAX });

const AREAS: Readonly<Record<string, TSchema>> = {
  world: Type.Object({ kind: Type.Literal('world') }, strict),
  box: Type.Object(
    { kind: Type.Literal('box'), minX: number, minY: number, maxX: number, maxY: number },
    strict,
  ),
  circle: Type.Object(
    { kind: Type.Literal('circle'), x: number, y: number, radius: number },
    strict,
  ),
  polygon: Type.Object(
    {
      kind: Type.Literal('polygon'),
      points: Type.Array(Type.Tuple([number, number]), { maxItems: POINTS_MAX + 1 }),
    },
    strict,
  ),
  around: Type.Object({ kind: Type.Literal('around'), entity: count, radius: number }, strict),
};

const area = Type.Unknown();
const MESSAGES: Readonly<Record<ClientMessage['type'], TSchema>> = {
  hello: Type.Object(
    {
      type: Type.Literal('hello'),
      protocol: Type.Integer(),
      world: Type.String({ maxLength: 64 }),
    },
    strict,
  ),
  subscribe: Type.Object(
    {
      type: Type.Literal('subscribe'),
      id,
      area,
      components: Type.Optional(names),
      with: Type.Optional(names),
      rateHz: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: RATE_HZ_MAX })),
      have: Type.Optional(Type.Array(Type.Tuple([count, count, count, count]))),
      asOf: Type.Optional(Type.String({ maxLength: 64 })),
    },
    strict,
  ),
  area: Type.Object({ type: Type.Literal('area'), id, area }, strict),
  unsubscribe: Type.Object({ type: Type.Literal('unsubscribe'), id }, strict),
  resync: Type.Object(
    { type: Type.Literal('resync'), id, cells: Type.Array(count, { maxItems: RESYNC_CELLS_MAX }) },
    strict,
  ),
  status: Type.Object({ type: Type.Literal('status'), on: Type.Boolean() }, strict),
  ping: Type.Object({ type: Type.Literal('ping'), at: number }, strict),
};

/**
 * Reads one message. Throws `VIEW_MESSAGE_INVALID` for what is no message at all, and
 * `AREA_INVALID` for a message whose only fault is its area; both name the field.
 */
export function readMessage(text: string, bytesMax: number): ClientMessage {
  if (text.length > bytesMax) {
    throw invalid('message', `${text.length} characters`, `Send at most ${bytesMax}.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('message', text, 'Send JSON, as docs/reference/frames.md says.');
  }
  const type = (value as { type?: unknown } | null)?.type;
  const schema = Object.hasOwn(MESSAGES, String(type))
    ? MESSAGES[type as ClientMessage['type']]
    : undefined;
  if (schema === undefined) {
    throw invalid('type', type, `Send one of ${Object.keys(MESSAGES).join(', ')}.`);
  }
  check(schema, value, '', invalid);
  if (type === 'subscribe' || type === 'area') checkArea((value as { area: unknown }).area);
  return value as ClientMessage;
}

function checkArea(value: unknown): void {
  const kind = (value as { kind?: unknown } | null)?.kind;
  const schema = Object.hasOwn(AREAS, String(kind)) ? AREAS[String(kind)] : undefined;
  if (schema === undefined) {
    throw areaInvalid('area.kind', kind, `Give one of ${Object.keys(AREAS).join(', ')}.`);
  }
  check(schema, value, 'area', areaInvalid);
}

function check(
  schema: TSchema,
  value: unknown,
  at: string,
  fault: (field: string, value: unknown, remedy: string) => LeaseholdError,
): void {
  if (Value.Check(schema, value)) return;
  const [first] = Value.Errors(schema, value);
  const path = `${at}${(first?.instancePath ?? '').replaceAll('/', '.')}`.replace(/^\./, '');
  const params = (first?.params ?? {}) as { additionalProperties?: readonly string[] };
  const extra = params.additionalProperties?.[0];
  const field = extra === undefined ? path || 'message' : `${path}${path && '.'}${extra}`;
  const found = extra === undefined ? valueAt(value, first?.instancePath ?? '') : 'unknown key';
  const isExtra = extra !== undefined || first?.message === 'schema is false';
  const why = isExtra ? 'Remove it: it means nothing here.' : `It ${first?.message ?? 'is wrong'}.`;
  throw fault(field, found, why);
}

function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const key of path.split('/').slice(1)) at = (at as Record<string, unknown> | null)?.[key];
  return at;
}

const shown = (value: unknown): string =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')).slice(
    0,
    VALUE_SHOWN_MAX,
  );

function invalid(field: string, value: unknown, remedy: string): LeaseholdError {
  const message = `a message cannot be understood: ${field} is ${shown(value)}`;
  return new LeaseholdError('VIEW_MESSAGE_INVALID', message, {
    field,
    value: shown(value),
    remedy,
  });
}

function areaInvalid(field: string, value: unknown, remedy: string): LeaseholdError {
  const message = `${field} is ${shown(value)}`;
  return new LeaseholdError('AREA_INVALID', message, { field, value: shown(value), remedy });
}
