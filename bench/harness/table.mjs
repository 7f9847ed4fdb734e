// @ts-check

/**
 * Columns as wide as their widest cell; the first is flush left, the others right, the last left again, since it holds text.
 * @param {readonly string[]} headings
 * @param {readonly (readonly string[])[]} rows
 */
export function formatTable(headings, rows) {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  /** @param {readonly string[]} row */
  const line = (row) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? '';
        const isText = column === 0 || column === widths.length - 1;
        return isText ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd();
  return [line(headings), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)]
    .map((text) => `  ${text}`)
    .join('\n');
}
