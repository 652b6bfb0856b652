/** The numbers by which encoder and decoder call the forms of what they send. */

/** How the values of a field are written. */
export const ENCODING = { raw: 0, difference8: 1, fixed16: 2, fixed32: 3, float: 4 } as const;

/** Which of the rows have a component. */
export const PRESENCE = { none: 0, all: 1, bitmap: 2 } as const;

/** What a delta part holds, as bits of a byte. */
export const DELTA = { removed: 1, added: 2, changes: 4 } as const;
