/** The verdict that the agent of a `validate` step writes (`.gump/out/validate.json`). Pure. */
import { type ReadFindings, readFindings } from './findings.js';
import { parseAnswer, quoteFirstLine } from './json-answer.js';

export interface Verdict {
  readonly pass: boolean;
  readonly comments: string;
}

/** The verdict, or a text that describes the problem. */
export function readVerdict(text: string | undefined): Verdict | string {
  if (text === undefined) return 'The agent did not write `.gump/out/validate.json`.';
  const value = parseAnswer(text, 'object');
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `\`.gump/out/validate.json\` is not a JSON object. ${quoteFirstLine(text)}`;
  const { pass, comments, comment } = value as Record<string, unknown>;
  const commentText = comments ?? comment ?? '';
  if (typeof pass !== 'boolean')
    return '`.gump/out/validate.json` has no "pass" with the value true or false.';
  if (typeof commentText !== 'string') return '"comments" in `.gump/out/validate.json` is not a string.';
  if (!pass && commentText.trim() === '')
    return '`.gump/out/validate.json` has "pass": false without "comments". Write the reasons to "comments".';
  return { pass, comments: commentText };
}

/** The findings in it, with the places as the agent wrote them. None if it is no valid verdict. */
export function readVerdictFindings(text: string | undefined): ReadFindings {
  if (text === undefined || typeof readVerdict(text) === 'string') return { findings: [], problems: [] };
  return readFindings((parseAnswer(text, 'object') as Readonly<Record<string, unknown>>).findings);
}
