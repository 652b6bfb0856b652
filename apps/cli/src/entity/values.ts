/** Values as they are typed: components, fields to set, payloads, and terms that fields must meet. */
import { NAME_PATTERN } from '@leasehold/kernel';
import { invalid } from '../options.ts';

export type Fields = Readonly<Record<string, unknown>>;
/** By component, then by field. */
export type Values = Readonly<Record<string, Fields>>;

const COMPONENT_FORM = `Write a component and its fields: position={"x":1,"y":2}.`;
const SET_FORM = 'Write component.field=VALUE or component={"field":VALUE}.';
const WHERE_FORM = "Write component.field, one of = != < <= > >=, and a value: 'purse.coins > 3'.";

const OPS: Readonly<Record<string, string>> = {
  ...{ '=': 'eq', '==': 'eq', '!=': 'ne', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' },
};
const TERM = /^\s*([A-Za-z0-9_-]+\.[^\s,=!<>]+)\s*(==|!=|<=|>=|=|<|>)\s*([\s\S]*?)\s*$/;
/** As the API itself has them. */
const API_TERM = /^[A-Za-z0-9_-]+\.[^,]+,[a-z]{2},/;
const ID = /^[1-9]\d{0,15}$/;

/** Errors: `SETTING_INVALID`. */
export function idOf(text: string): number {
  const id = ID.test(text) ? Number(text) : 0;
  if (id > 0 && Number.isSafeInteger(id)) return id;
  throw invalid('ID', text, 'Give the id of an entity, as entity query lists them.');
}

/** `position={"x":1,"y":2}`, or `got` alone for initial values. Errors: `SETTING_INVALID`. */
export function componentsOf(texts: readonly string[]): Values {
  return Object.fromEntries(
    texts.map((text) => {
      const [name = '', json = '{}'] = text.split(/=(.*)/s);
      const fields = objectOf(json);
      if (NAME_PATTERN.test(name.trim()) && fields !== undefined) return [name.trim(), fields];
      throw invalid('--component', text, COMPONENT_FORM);
    }),
  );
}

/**
 * `position.x=3`, or `position={"x":3}`. What is no JSON is text: `lamp.name=old`; a text of digits
 * is written `lamp.name='"3"'`. Errors: `SETTING_INVALID`.
 */
export function changesOf(texts: readonly string[]): Values {
  const changes = new Map<string, Map<string, unknown>>();
  for (const text of texts) {
    const [path = '', value] = text.split(/=(.*)/s);
    const [component = '', field] = path.trim().split(/\.(.*)/s);
    if (value === undefined || !NAME_PATTERN.test(component) || field === '') {
      throw invalid('--set', text, SET_FORM);
    }
    const fields = changes.get(component) ?? new Map<string, unknown>();
    changes.set(component, fields);
    if (field !== undefined) {
      fields.set(field, jsonOrText(value));
      continue;
    }
    const given = objectOf(value);
    if (given === undefined) throw invalid('--set', text, SET_FORM);
    for (const [name, one] of Object.entries(given)) fields.set(name, one);
  }
  return Object.fromEntries(
    [...changes].map(([component, fields]) => [component, Object.fromEntries(fields)]),
  );
}

/** A JSON object. Errors: `SETTING_INVALID`. */
export function payloadOf(text: string): Fields {
  const payload = objectOf(text);
  if (payload !== undefined) return payload;
  throw invalid('--payload', text, `Give a JSON object: '{"n":1}'.`);
}

/** `purse.coins > 3` as the API has it: `purse.coins,gt,3`. Errors: `SETTING_INVALID`. */
export function termOf(text: string): string {
  if (API_TERM.test(text)) return text;
  const [, path, op = '', value = ''] = TERM.exec(text) ?? [];
  if (path === undefined || value === '') throw invalid('--where', text, WHERE_FORM);
  // Quotes say where a text begins and ends, and are not part of it.
  const quoted = value.startsWith('"') ? jsonOrText(value) : value;
  return `${path},${OPS[op]},${quoted}`;
}

function objectOf(text: string): Fields | undefined {
  const value = jsonOrText(text);
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : undefined;
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
