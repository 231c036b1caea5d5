/** The lines of the new side in a patch. */

export interface LineOfDiff {
  readonly hunk: string;
  readonly text: string;
}

/** The line of the new side; `undefined` if the diff does not show it. */
export function lineOfPatch(patch: string, wanted: number): LineOfDiff | undefined {
  let line = 0;
  let hunk = '';
  for (const text of patch.split('\n')) {
    const start = /^@@ .*\+(\d+)/.exec(text)?.[1];
    if (start !== undefined) {
      line = Number(start) - 1;
      hunk = text;
    } else if (!text.startsWith('-') && !text.startsWith('\\')) {
      line += 1;
      if (line === wanted && hunk !== '') return { hunk, text: text.slice(1) };
    }
  }
  return undefined;
}
