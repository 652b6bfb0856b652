/** Documents: links that lead somewhere, a glossary that stays one, a page where one is due. */
import type { SourceFile } from './source-files.ts';

/** One sentence for each relative link, or anchor in one, that leads nowhere. */
export function linkFaults(
  files: readonly SourceFile[],
  exists: (file: SourceFile, relative: string) => boolean,
): string[] {
  return files.flatMap((file) => {
    const prose = file.text.replace(/```[\s\S]*?```|`[^`\n]*`/g, '');
    return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1]!)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [path = '', anchor] = target.split('#');
        if (path === '') return !anchorsOf(file.text).has(anchor ?? '');
        return !exists(file, path);
      })
      .map((target) => `${file.path}: the link to ${target} leads nowhere`);
  });
}

function anchorsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map((match) => match[1]!);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    ),
  );
}

/** One sentence for each line of the glossary that is not one noun with one meaning, in order. */
export function glossaryFaults(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.startsWith('- '));
  const faults: string[] = lines.length === 0 ? ['the glossary has no lines'] : [];
  let before = '';
  for (const line of lines) {
    const noun = /^- \*\*([a-z][a-z -]*)\*\*: \S.*\.$/.exec(line)?.[1];
    if (noun === undefined) faults.push(`not "- **noun**: meaning.": ${line}`);
    else if (noun <= before) faults.push(`${noun} comes after ${before}: out of order or twice`);
    before = noun ?? before;
  }
  return faults;
}

/** One sentence for each directory that has no page of its own. */
export function pageFaults(
  directories: readonly string[],
  exists: (path: string) => boolean,
): string[] {
  return directories
    .filter((directory) => !exists(`${directory}/README.md`))
    .map((directory) => `${directory}: has no README.md`);
}
