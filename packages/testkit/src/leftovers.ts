/**
 * What a test file opened and must close. Whatever is left fails the file, by name, and is ended.
 */
type Open = { readonly what: string; readonly end: () => void | Promise<void> };

const open = new Set<Open>();

/** Notes something opened; call what is returned once it is closed. */
export function opened(what: string, end: () => void | Promise<void>): () => void {
  const entry = { what, end };
  open.add(entry);
  return () => {
    open.delete(entry);
  };
}

/** Ends what is left and returns the names of it. */
export async function endLeftovers(): Promise<string[]> {
  const left = [...open];
  open.clear();
  for (const { end } of left) await end();
  return left.map(({ what }) => what);
}
