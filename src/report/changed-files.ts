/** The files that a run or a step changed, in the summary. Pure. */
import {
  type ChangedFile,
  type ChangeTotals,
  describeChanges,
  totalsOfChanges,
} from './change-statistics.js';
import { folded, inlineCode, markdownTable, paragraphs } from './markdown-text.js';

/** More than these are folded. */
const maxOpen = 20;
/** The patch has all of them. */
const maxFiles = 500;

export interface RunChanges {
  readonly files: readonly ChangedFile[];
  /** Where they are, as Markdown. */
  readonly place: string;
}

/** `undefined` if nothing changed. */
export function changesSection(changes: RunChanges | undefined): string | undefined {
  if (changes === undefined || changes.files.length === 0) return undefined;
  const { files, place } = changes;
  return paragraphs(`**Changes** · ${sizeText(totalsOfChanges(files))} · ${place}`, fileTable(files));
}

/** The names with their sizes; folded if there are many. */
export function fileTable(files: readonly ChangedFile[]): string {
  const rows = files.slice(0, maxFiles).map((file) => [inlineCode(file.path), lineCount(file)]);
  const more = files.length - maxFiles;
  const table = paragraphs(
    markdownTable(['File', 'Lines'], rows),
    more > 0 ? `${more} more are in the patch.` : undefined,
  );
  return files.length > maxOpen ? folded(`${files.length} files`, table) : table;
}

function sizeText(totals: ChangeTotals): string {
  return describeChanges(totals).replace(' changed', '');
}

function lineCount({ added, removed }: ChangedFile): string {
  return added === undefined || removed === undefined ? 'binary' : `+${added} −${removed}`;
}
