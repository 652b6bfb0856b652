/** The function library in a server: its name, its source, and loading it. */
import { checkName } from '@leasehold/kernel';
import { LIBRARY_TEMPLATE } from './generated/library.ts';
import type { Link } from './link.ts';

/** The version is in the name, so two versions of the product can share a server. */
export const LIBRARY = 'leasehold_1';

/**
 * The source of the library under a name. Other names exist for builds that are broken on purpose.
 */
export function librarySource(name: string = LIBRARY): string {
  return LIBRARY_TEMPLATE.replaceAll('@library@', checkName('library', name));
}

/**
 * Makes the server have this library. Loads it only when it is missing or, for the product's own
 * name, different: functions are replicated and persisted, so this is rarely needed twice.
 */
export async function ensureLibrary(link: Link, name: string): Promise<void> {
  const listed = await link.call(['FUNCTION', 'LIST', 'LIBRARYNAME', name, 'WITHCODE']);
  const source = librarySource(name);
  const text = JSON.stringify(listed);
  const isThere = Array.isArray(listed) && listed.length > 0;
  if (isThere && (name !== LIBRARY || text.includes(JSON.stringify(source)))) return;
  await loadLibrary(link, source);
}

/** Loads a library, whatever was there under its name. */
export async function loadLibrary(link: Link, source: string): Promise<void> {
  await link.call(['FUNCTION', 'LOAD', 'REPLACE', source]);
}
