/** The texts of a review: its body and its comments, and how they change when a finding is fixed. Pure. */
import { cleanCode } from '../event/clean-text.js';
import type { Finding } from '../outputs/findings.js';
import { agentMarkdown } from '../report/agent-markdown.js';
import { cutText } from '../report/cut-text.js';
import { describePlace, severityMarks } from '../report/findings-table.js';
import { escapeText, folded, inlineCode, paragraphs } from '../report/markdown-text.js';
import { type DiffLines, textOfPlace } from './diff-lines.js';
import type { IdentifiedFinding } from './finding-identity.js';
import { type FindingMark, findingMarker, reviewMarker } from './publication-marker.js';
import type { PlacedFinding } from './review-plan.js';
import { suggestedChange } from './suggested-change.js';

/** GitHub accepts 65,536 characters in a comment and in a body. */
export const maxCommentBytes = 64 * 1024;
/** A message or a suggestion of a finding. Making a text harmless may add three times its size. */
const maxMessageBytes = 6_000;
const maxVerdictBytes = 8_000;
/** Of a finding in the body. */
const maxItemCharacters = 600;

export interface ReviewIdentity {
  /** `placeKey`. */
  readonly key: string;
  /** Hash of what the review is made of. */
  readonly content: string;
}

export interface ReviewTexts {
  readonly workflow: string;
  readonly step: string;
  readonly runUrl: string;
  /** The comments of the verdict. */
  readonly comments?: string;
}

/** The text of one inline comment. */
export function findingComment(key: string, one: PlacedFinding, lines: DiffLines): string {
  const { finding, place } = one;
  const { suggestion = '' } = finding;
  // Half of a suggestion must not replace anything.
  const isWhole = place.isExact && Buffer.byteLength(suggestion) <= maxMessageBytes;
  const replaced = isWhole ? textOfPlace(lines, place) : undefined;
  return paragraphs(
    `${markOf(key, one)}\n${severityMarks[finding.severity]} **${finding.severity}**`,
    agentMarkdown(cutText(finding.message, maxMessageBytes)),
    suggestion === '' ? undefined : suggestedChange(cutText(suggestion, maxMessageBytes), replaced),
  );
}

/** `count`: all findings that are new. As many of those outside of the diff are listed as fit. */
export function reviewBody(
  { key, content }: ReviewIdentity,
  { workflow, step, runUrl, comments = '' }: ReviewTexts,
  { count, outside }: { readonly count: number; readonly outside: readonly IdentifiedFinding[] },
): string {
  const what = `${count} new ${count === 1 ? 'finding' : 'findings'}`;
  const head = `${reviewMarker(key, content)}\n**${escapeText(workflow)}** · ${inlineCode(step)} · ${what} · [run](${runUrl})`;
  const verdict =
    comments.trim() === ''
      ? undefined
      : folded('Comments of the reviewer', agentMarkdown(cutText(comments, maxVerdictBytes)));
  const title = outside.length === 0 ? undefined : '**Outside of the diff**';
  const room = maxCommentBytes - Buffer.byteLength(paragraphs(head, title, verdict)) - 200;
  return paragraphs(head, title, listed(key, outside, room), verdict);
}

/** The items that fit, and how many do not. */
function listed(key: string, findings: readonly IdentifiedFinding[], room: number): string {
  let left = room;
  const items: string[] = [];
  for (const one of findings) {
    const item = `${markOf(key, one)}\n- ${itemText(one.finding)}`;
    left -= Buffer.byteLength(item) + 1;
    if (left < 0) break;
    items.push(item);
  }
  const more = findings.length - items.length;
  return [...items, ...(more > 0 ? [`\n${more} more are in the report of the run.`] : [])].join('\n');
}

/** One line, without anything that could look like a mark. */
function itemText({ severity, message, suggestion, ...place }: Finding): string {
  const where = describePlace(place);
  const advice = suggestion === undefined ? '' : ` Suggestion: ${escapeText(shorten(suggestion))}`;
  const name = where === '' ? '' : `${inlineCode(where)} `;
  return `${severityMarks[severity]} ${name}${escapeText(shorten(message))}${advice}`;
}

function shorten(text: string): string {
  const clean = cleanCode(text);
  const characters = [...clean];
  return characters.length <= maxItemCharacters
    ? clean
    : `${characters.slice(0, maxItemCharacters - 1).join('')}…`;
}

function markOf(key: string, { id, context }: IdentifiedFinding): string {
  return findingMarker({ key, id, context, isFixed: false });
}

/** The text with the finding of this mark marked as fixed. `commit`: where it is gone. */
export function withFixedFinding(body: string, mark: FindingMark, commit: string): string {
  const open = findingMarker({ ...mark, isFixed: false });
  const fixed = findingMarker({ ...mark, isFixed: true });
  const note = `✅ Fixed in ${commit.slice(0, 7)}`;
  const text = body.replaceAll('\r\n', '\n');
  return text.includes(`${open}\n- `)
    ? text.replace(`${open}\n- `, () => `${fixed}\n- ${note}: `)
    : text.replace(`${open}\n`, () => `${fixed}\n${note}.\n\n`);
}
