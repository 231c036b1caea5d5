/** The verdict that a validate step's agent writes (`.gump/out/validate.json`). Pure. */

export interface Verdict {
  readonly pass: boolean;
  readonly comments: string;
}

/** Reads `.gump/out/validate.json`; a text instead says what is wrong with it. */
export function readVerdict(text: string | undefined): Verdict | string {
  if (text === undefined) return 'The agent left no .gump/out/validate.json.';
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null) return '.gump/out/validate.json is not a JSON object.';
  const { pass, comments, comment } = value as Record<string, unknown>;
  const commentText = comments ?? comment ?? '';
  if (typeof pass !== 'boolean') return '.gump/out/validate.json has no "pass" that is true or false.';
  if (typeof commentText !== 'string') return '"comments" in .gump/out/validate.json is not a text.';
  if (!pass && commentText.trim() === '')
    return '.gump/out/validate.json says "pass": false without "comments".';
  return { pass, comments: commentText };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
