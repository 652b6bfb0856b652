import { LeaseholdError } from './errors.ts';

/** Names of worlds, layers, components and pods. A brace would move a key to another slot. */
export const NAME_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

/** Returns the name, or throws `NAME_INVALID` naming the field it came from. */
export function checkName(field: string, value: string): string {
  if (NAME_PATTERN.test(value)) return value;
  throw new LeaseholdError('NAME_INVALID', `${field}: ${JSON.stringify(value)} is not a name`, {
    field,
    value: JSON.stringify(value),
    remedy: 'Use 1 to 64 letters, digits, underscores or hyphens.',
  });
}
