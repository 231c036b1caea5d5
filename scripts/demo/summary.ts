/** Renders the job summary, which is Markdown, for a terminal: tables in 80 columns, the rest almost unchanged. */
import { fitColumns } from '../../src/local/columns.js';
import { paint } from './paint.js';

/** `steps`: the table of the steps for a terminal. The one in the summary is wider. */
export function renderSummary(markdown: string, steps: readonly string[] = []): string {
  // A terminal draws no graph.
  const text = markdown.replaceAll(/^```mermaid\n[\s\S]*?\n```\n\n?/gm, '');
  const lines = stripHtml(text.trimEnd()).split('\n');
  const blocks: string[][] = [];
  for (const line of lines) {
    const last = blocks.at(-1);
    if (line.startsWith('|') && last?.[0]?.startsWith('|')) last.push(line);
    else blocks.push([line]);
  }
  return blocks
    .flatMap((block) => {
      if (!block[0]?.startsWith('|')) return block.map(emphasis);
      return steps.length > 0 && block[0].startsWith('| Step |') ? steps : renderTable(block);
    })
    .join('\n');
}

/** Handles the few HTML tags and escapes that the summary contains. */
function stripHtml(text: string): string {
  return text
    .replaceAll('<br>', ', ')
    .replaceAll(/<\/?(?:code|details|summary)>/g, '')
    .replaceAll('&#8203;', '')
    .replaceAll('&#36;', '$')
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&emsp;', '  ')
    .replaceAll(/\\([\\*_[\]`|~#+=-])/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

function emphasis(line: string): string {
  return line.startsWith('#') ? paint('bold', line.replace(/^#+ /, '')) : line.replaceAll('**', '');
}

function renderTable(rows: readonly string[]): readonly string[] {
  const cells = rows
    .filter((row) => !/^[|\s:-]+$/.test(row))
    .map((row) =>
      row
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  return fitColumns(cells, width).map((line, index) => (index === 0 ? paint('dim', line) : line));
}

/** That of a terminal, without the indentation. */
const width = 78;
