/** Rows of text in columns, as wide as what is in them. */

/** The first row is the title. Columns in `left` begin at the left, numbers end at the right. */
export function textTable(
  rows: readonly (readonly string[])[],
  left: ReadonlySet<number>,
  indent = 2,
): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) => {
    const cells = row.map((text, column) => {
      const width = widths[column] as number;
      return left.has(column) ? text.padEnd(width) : text.padStart(width);
    });
    return `${' '.repeat(indent)}${cells.join('  ').trimEnd()}`;
  });
}

/** What others have written is not to move the cursor of whoever reads it. */
export const plain = (text: string): string => text.replace(/\p{C}/gu, '·');

export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n} ${n === 1 ? one : many}`;
