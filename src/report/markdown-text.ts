/**
 * Text of others as Markdown that shows it as it is. Pure.
 *
 * GitHub's sanitizer keeps `details`, `summary`, `br`, `code`, `b` and tables, and removes styles and classes
 * (github/markup, README, "GitHub Markup"). The summary uses no other HTML.
 */

/** A code block with a fence longer than any in the text, so that the text cannot close it. */
export function codeBlock(text: string, language = 'text'): string {
  const longest = longestRun(text, /`+/g);
  const ticks = '`'.repeat(Math.max(2, longest) + 1);
  return `${ticks}${language}\n${text}\n${ticks}`;
}

/** Not `Math.max(...runs)`: a text may have more runs than a call may have arguments. */
function longestRun(text: string, pattern: RegExp): number {
  let longest = 0;
  for (const [run] of text.matchAll(pattern)) longest = Math.max(longest, run.length);
  return longest;
}

/**
 * Names may contain anything: nothing in them may become Markdown or HTML, a mention of a user, a reference to an
 * issue, or a formula. The blank without width is how Renovate and Dependabot prevent mentions.
 */
export function escapeText(text: string): string {
  return text
    .replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] ?? sign)
    .replace(/[\\*_[\]`|~]/g, '\\$&')
    .replace(/[ \t]*[\r\n]\s*/g, ' ')
    .replace(/#(?=\d)|\bGH-(?=\d)|@(?=\w)/gi, '$&&#8203;')
    .replace(/\$(?!\d)|(?<=\S)\$/g, '&#36;')
    .replace(/^\s*(?:[#+=-]|\d+(?=[.)]))/, escapeStart);
}

/** A list, a heading or a line is only at the start. */
function escapeStart(start: string): string {
  const text = start.trimStart();
  return /^\d/.test(text) ? `${text}&#8203;` : `\\${text}`;
}

/** A path or a command of others, in the font of code. */
export function inlineCode(text: string): string {
  return `<code>${escapeText(text)}</code>`;
}

/** A message of the action: what it has in backticks is code, and the rest stays text. */
export function escapeMessage(text: string): string {
  const [start = '', ...more] = text.split(/`([^`\r\n]{1,200})`/);
  return (
    escapeText(start) + more.map((part, at) => (at % 2 === 0 ? inlineCode(part) : escapeInner(part))).join('')
  );
}

/** A text that does not start a line. */
function escapeInner(text: string): string {
  return escapeText(`.${text}`).slice(1);
}

/** `title` is Markdown already. */
export function folded(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}

const numbers: ReadonlySet<string> = new Set(['Attempts', 'Tokens', 'Cost', 'Time', 'Lines']);

/** Rows of cells that are Markdown already. A column without any text is left out. Numbers are at the right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = head.map((_, column) => rows.some((row) => (row[column] ?? '') !== ''));
  const line = (cells: readonly string[]) => `| ${cells.filter((_, at) => shown[at]).join(' | ')} |`;
  return [line(head), line(head.map((name) => (numbers.has(name) ? '---:' : '---'))), ...rows.map(line)].join(
    '\n',
  );
}

/** The parts that exist, as paragraphs. */
export function paragraphs(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join('\n\n');
}
