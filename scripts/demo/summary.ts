/** Renders the job summary, which is Markdown, for a terminal: tables in columns, the rest almost unchanged. */
import { paint } from './paint.js';

export function renderSummary(markdown: string): string {
  const lines = stripHtml(markdown.trimEnd()).split('\n');
  const blocks: string[][] = [];
  for (const line of lines) {
    const last = blocks.at(-1);
    if (line.startsWith('|') && last?.[0]?.startsWith('|')) last.push(line);
    else blocks.push([line]);
  }
  return blocks
    .flatMap((block) => (block[0]?.startsWith('|') ? renderTable(block) : block.map(emphasis)))
    .join('\n');
}

/** Handles the few HTML tags and escapes that the summary contains. */
function stripHtml(text: string): string {
  return text
    .replaceAll('<br>', ', ')
    .replaceAll(/<\/?code>/g, '')
    .replaceAll(/\\([\\*_[\]`|])/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

function emphasis(line: string): string {
  return line.startsWith('#') ? paint('bold', line.replace(/^#+ /, '')) : line.replaceAll('**', '');
}

function renderTable(rows: readonly string[]): readonly string[] {
  const cells = rows
    .filter((row) => !/^[|\s-]+$/.test(row))
    .map((row) =>
      row
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  const [head = [], ...body] = cells;
  // Empty columns are omitted, because long rows do not fit into a terminal.
  const columns = head.map((_, at) => at).filter((at) => body.some((row) => row[at] !== ''));
  const widths = columns.map((at) => Math.max(...cells.map((row) => (row[at] ?? '').length)));
  return cells.map((row, index) => {
    const line = columns
      .map((at, column) => (row[at] ?? '').padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
    return index === 0 ? paint('dim', line) : line;
  });
}
