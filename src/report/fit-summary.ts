/** Keeps the summary below the limit of the runner. Pure. */

/** The runner rejects more than 1 MiB for a step (`CreateStepSummaryCommand`, actions/runner 2.329). */
export const maxSummaryBytes = 1_000_000;

export interface SummaryPart {
  /** What a note says is missing without it. */
  readonly name: string;
  readonly text: string | undefined;
  /** The parts with the highest number go first. Absent: it stays. */
  readonly order?: number;
}

/** The note about parts that are left out. */
type LeftOutNote = (names: string) => string;

const summaryNote: LeftOutNote = (names) => `Too large for a summary, see the report: ${names}.`;

/** The parts as one text. Leaves out whole parts, in their order, until the rest fits, and names them in a note. */
export function fitSummary(
  parts: readonly SummaryPart[],
  max: number = maxSummaryBytes,
  noteOf: LeftOutNote = summaryNote,
): string {
  const shown = parts.filter(({ text }) => text !== undefined && text !== '');
  const removable = shown
    .filter(({ order }) => order !== undefined)
    .sort((one, other) => (other.order ?? 0) - (one.order ?? 0));
  for (let count = 0; count <= removable.length; count += 1) {
    const removed = removable.slice(0, count);
    const text = joined(shown, removed, noteOf);
    if (Buffer.byteLength(text) <= max) return text;
  }
  // The parts that stay are bounded, so only names of an absurd length come here.
  const kept = Buffer.from(joined(shown, removable, noteOf))
    .subarray(0, max - 3)
    .toString('utf8');
  return kept.slice(0, kept.lastIndexOf('\n') + 1);
}

function joined(parts: readonly SummaryPart[], removed: readonly SummaryPart[], noteOf: LeftOutNote): string {
  const texts = parts.filter((part) => !removed.includes(part)).map(({ text }) => text);
  const note = removed.length === 0 ? [] : [noteOf(removed.map(({ name }) => name).join(', '))];
  return `${[...texts, ...note].join('\n\n')}\n`;
}
