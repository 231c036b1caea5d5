/** Tables in columns for a terminal. Pure. */

const gap = '  ';

/**
 * The rows as lines of at most `width` columns: the widest columns become narrower, and what does not fit ends with
 * `…`. Columns that are empty below the first row are omitted.
 */
export function fitColumns(rows: readonly (readonly string[])[], width: number): readonly string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const used = Array.from({ length: count }, (_, at) => at).filter((at) =>
    rows.slice(1).some((row) => (row[at] ?? '') !== ''),
  );
  const widths = used.map((at) => Math.max(...rows.map((row) => displayWidth(row[at] ?? ''))));
  const room = width - gap.length * (used.length - 1);
  while (sum(widths) > room && Math.max(...widths) > 1) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return rows.map((row) =>
    used
      .map((at, column) => pad(cut(row[at] ?? '', widths[column] ?? 0), widths[column] ?? 0))
      .join(gap)
      .trimEnd(),
  );
}

/** The columns that the text takes in a terminal: two for an emoji, none for what changes the character before it. */
export function displayWidth(text: string): number {
  return sum([...text].map(characterWidth));
}

function characterWidth(character: string): number {
  if (/\p{Mn}|\p{Cf}|\p{Variation_Selector}/u.test(character)) return 0;
  return /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]/u.test(
    character,
  )
    ? 2
    : 1;
}

function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  for (const character of text) {
    if (displayWidth(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
