/** Entity tags: which components were read, and the hash of their values then. */
import { LeaseholdError } from '@leasehold/kernel';
import { type ComponentValues, type EntityMatch, valuesHash } from '@leasehold/protocol';

/** `"<hash>.<component>+<component>"`: whoever sends it back need not say what was read. */
export function tagOf(components: ComponentValues): string {
  return `"${valuesHash(components)}.${Object.keys(components).sort().join('+')}"`;
}

const TAG = /^"([0-9a-f]{16})\.((?:[A-Za-z0-9_-]{1,64}(?:\+[A-Za-z0-9_-]{1,64}){0,511})?)"$/;

/** What an `If-Match` asks for; `*` asks for nothing but that it is there. Errors: `REQUEST_INVALID`. */
export function matchOf(header: string | undefined): EntityMatch | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  const found = TAG.exec(header.trim());
  if (found !== null) {
    const [, hash = '', names = ''] = found;
    return { components: names === '' ? [] : names.split('+'), hash };
  }
  throw new LeaseholdError('REQUEST_INVALID', 'If-Match is no entity tag of this service', {
    field: 'If-Match',
    value: header.slice(0, 100),
    remedy: 'Send the ETag of the answer that the change is made from, or *.',
  });
}

/** Whether any tag of an `If-None-Match` is this one. */
export function isKnown(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header
    .split(',')
    .map((one) => one.trim().replace(/^W\//, ''))
    .some((one) => one === tag || one === '*');
}
