/** What a review must say that no earlier one has said, and which earlier findings are gone. Pure. */
import { defined } from '../optional-keys.js';
import { type CommentPlace, commentPlace, type DiffLines, lineWithCode } from './diff-lines.js';
import { areAlike, type IdentifiedFinding, wordsOf } from './finding-identity.js';
import type { FindingMark } from './publication-marker.js';

/** A finding that an earlier run posted. */
export interface PostedFinding {
  readonly mark: FindingMark;
  /** The text in which the mark is. */
  readonly body: string;
  /** The comment, or the body of a review. */
  readonly in: PostedThread | { readonly kind: 'review'; readonly review: number };
}

export interface PostedThread {
  readonly kind: 'thread';
  /** Id of its first comment in the REST API. */
  readonly comment: number;
  /** Id in the GraphQL API. */
  readonly thread: string;
  readonly isResolved: boolean;
}

export interface PlacedFinding extends IdentifiedFinding {
  readonly place: CommentPlace;
}

export interface ReviewPlan {
  readonly inline: readonly PlacedFinding[];
  /** Those outside of the diff. */
  readonly inBody: readonly IdentifiedFinding[];
  /** Posted before, not found any more, and neither marked as fixed nor resolved. */
  readonly gone: readonly PostedFinding[];
  /** How many were posted before and are found again. */
  readonly known: number;
}

export interface ReviewFacts {
  readonly findings: readonly IdentifiedFinding[];
  readonly lines: DiffLines;
  /** The agent read the files of the commit of `lines`, so that numbers of lines mean the same. */
  readonly isSameCommit: boolean;
  /** Those with the key of this review. */
  readonly posted: readonly PostedFinding[];
  /** The verdict has no findings although it is negative: nothing is known about the earlier ones. */
  readonly isIncomplete: boolean;
}

/** More comments than that are no review that a person can read. The others are in the body. */
const maxInline = 50;

const severityOrder = ['error', 'warning', 'notice'] as const;

export function planReview(facts: ReviewFacts): ReviewPlan {
  const { findings, posted, isIncomplete } = facts;
  // A finding that comes back after it was marked as fixed is posted again: its old comment is on other lines.
  const active = posted.filter(({ mark }) => !mark.isFixed);
  const pairs = pairUp(findings, active);
  const fresh = bySeverity(findings.filter((finding) => !pairs.has(finding)));
  const placed = fresh.flatMap((one) => {
    const place = placeOf(one, facts);
    return place === undefined ? [] : [{ ...one, place }];
  });
  const inline = placed.slice(0, maxInline);
  const inlineIds = new Set(inline.map(({ id }) => id));
  const found = new Set(pairs.values());
  return {
    inline,
    inBody: fresh.filter(({ id }) => !inlineIds.has(id)),
    gone: isIncomplete ? [] : active.filter((one) => !found.has(one) && !isResolved(one)),
    known: pairs.size,
  };
}

/**
 * A pull request is often checked out as a merge commit, in which lines may have other numbers. Then the line must have the
 * code that the agent saw, or there must be exactly one with this code in the diff.
 */
function placeOf(
  { finding, code }: IdentifiedFinding,
  { lines, isSameCommit }: ReviewFacts,
): CommentPlace | undefined {
  const { path, line, endLine } = finding;
  if (isSameCommit || path === undefined || line === undefined) return commentPlace(lines, finding);
  const found = lineWithCode(lines, { path, line }, code);
  if (found === undefined) return undefined;
  const last = endLine === undefined ? undefined : endLine + found - line;
  return commentPlace(lines, { path, line: found, ...defined({ endLine: last }) });
}

function bySeverity(findings: readonly IdentifiedFinding[]): readonly IdentifiedFinding[] {
  return severityOrder.flatMap((severity) => findings.filter(({ finding }) => finding.severity === severity));
}

function isResolved({ in: where }: PostedFinding): boolean {
  return where.kind === 'thread' && where.isResolved;
}

/** First those with the same identity; then those about the same code in other words. Each earlier one counts once. */
function pairUp(
  findings: readonly IdentifiedFinding[],
  active: readonly PostedFinding[],
): ReadonlyMap<IdentifiedFinding, PostedFinding> {
  const pairs = new Map<IdentifiedFinding, PostedFinding>();
  const used = new Set<PostedFinding>();
  const pair = (matches: (finding: IdentifiedFinding, posted: PostedFinding) => boolean) => {
    for (const finding of findings) {
      if (pairs.has(finding)) continue;
      const same = active.find((posted) => !used.has(posted) && matches(finding, posted));
      if (same === undefined) continue;
      pairs.set(finding, same);
      used.add(same);
    }
  };
  pair(({ id }, { mark }) => id === mark.id);
  pair(({ code, context, finding }, { mark, body }) => {
    return (
      code.trim() !== '' && context === mark.context && areAlike(wordsOf(finding.message), wordsOf(body))
    );
  });
  return pairs;
}
