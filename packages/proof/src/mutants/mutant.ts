/** A known bug: where it goes into the sources, and which suite should see it first. */
export type Mutant = {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly edits: readonly Edit[];
  /** Names of suites, the one that should find it first. */
  readonly suites: readonly string[];
};

export type Edit = {
  readonly find: string;
  readonly put: string;
  /** How many places there are; another number means that the source has moved. */
  readonly times?: number;
};

/** The text with the bug in it. Throws when the source has no such places any more. */
export function mutated({ name, file, edits }: Mutant, source: string): string {
  let text = source;
  for (const { find, put, times = 1 } of edits) {
    const found = text.split(find).length - 1;
    if (found !== times) {
      throw new Error(`${name}: ${file} has ${found} places, not ${times}, of: ${find}`);
    }
    text = text.replaceAll(find, put);
  }
  return text;
}
