/**
 * Hidden marks by which the action finds what it published. Each is an HTML comment that starts a line. Agents cannot
 * write one into a text of the action, because `agentMarkdown` and `agentMessage` make every `<!` in it visible; and a text of anybody
 * else does not count, because its author is compared too. Pure.
 *
 * The number is that of the format. Marks of another number are not read.
 */
import { hashOf } from '../system/hash-of.js';

/** What distinguishes the comments of two jobs. */
export interface PublicationPlace {
  /** `owner/name/.github/workflows/file.yml@ref`. The ref does not count: it differs between events. */
  readonly workflowRef: string;
  /** The Gump workflow, as the input names it. */
  readonly workflow: string;
  readonly jobId: string;
  /** The matrix leg. */
  readonly matrix?: Readonly<Record<string, unknown>>;
  /** The step whose findings are published. Absent for a comment. */
  readonly step?: string;
}

/** The same in every run of this job of this workflow. */
export function placeKey({ workflowRef, workflow, jobId, matrix, step }: PublicationPlace): string {
  const file = workflowRef.replace(/@.*$/, '');
  return shortHash([file, workflow, jobId, matrix ?? null, step ?? null]);
}

/** 20 hexadecimal digits. */
export function shortHash(value: unknown): string {
  return hashOf(Buffer.from(JSON.stringify(value))).slice(0, 20);
}

export function commentMarker(key: string): string {
  return `<!-- gump-action:comment:1 ${key} -->`;
}

/** Only the start of a text counts. */
export function hasCommentMarker(body: string, key: string): boolean {
  return body.startsWith(commentMarker(key));
}

/** `content`: what was published, so that the same review is recognized. */
export function reviewMarker(key: string, content: string): string {
  return `<!-- gump-action:review:1 ${key} ${content} -->`;
}

export function hasReviewMarker(body: string, key: string, content: string): boolean {
  return body.startsWith(reviewMarker(key, content));
}

export interface FindingMark {
  /** `placeKey` of the review. */
  readonly key: string;
  /** Of the finding (`finding-identity.ts`). */
  readonly id: string;
  /** Hash of the lines that it is about. */
  readonly context: string;
  /** The finding was gone in a later run. */
  readonly isFixed: boolean;
}

export function findingMarker({ key, id, context, isFixed }: FindingMark): string {
  return `<!-- gump-action:finding:1 ${key} ${id} ${context} ${isFixed ? 'fixed' : 'open'} -->`;
}

const findingPattern =
  /^<!-- gump-action:finding:1 ([0-9a-f]{20}) ([0-9a-f]{20}) ([0-9a-f]{20}) (open|fixed) -->$/gm;

/** Every mark of a finding that is a line of its own. */
export function findingMarksIn(body: string): readonly FindingMark[] {
  return [...body.replaceAll('\r\n', '\n').matchAll(findingPattern)].map(
    ([, key = '', id = '', context = '', state]) => ({ key, id, context, isFixed: state === 'fixed' }),
  );
}
