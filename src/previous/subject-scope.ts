/** What an entry of sessions belongs to. Two runs share one only if all of this is the same. Pure. */
import { createHash } from 'node:crypto';
import { entryName } from '../checkpoint/entry-store.js';

/**
 * `repository`: the files that the agents worked on are those of a commit of this repository. `fork`: anything else.
 * Whoever controls a fork must not reach a conversation that continues with more rights.
 */
export type SessionTrust = 'repository' | 'fork';

export interface SubjectScope {
  readonly repositoryId: string;
  /** The Gump workflow file: a path in the repository, or `built-in NAME`. */
  readonly workflowFile: string;
  /** `pr-7`, `issue-12`, `branch-main`, … */
  readonly subject: string;
  readonly trust: SessionTrust;
  /** What distinguishes jobs with the same workflow file: the working directory, and the leg of a matrix. */
  readonly part: string;
}

/** The name of the entries with the sessions of a subject. It begins with the subject, for people and for clean-up. */
export function sessionEntryName(scope: SubjectScope): string {
  return entryName(`gump-sessions-${readablePart(scope.subject)}-${hashOfScope(scope)}`);
}

/** The name of the entries that announce which sessions a run resumes. */
export function announcementName(scope: SubjectScope): string {
  return `${sessionEntryName(scope)}-in-use`;
}

export type EntryPurpose = 'sessions' | 'in-use';

/** What is sealed into an entry, so that it opens under no other name: each part, not only its hash. */
export function boundNameOf(scope: SubjectScope, purpose: EntryPurpose): string {
  const { repositoryId, workflowFile, subject, trust, part } = scope;
  return JSON.stringify([
    'gump-action previous run',
    purpose,
    repositoryId,
    workflowFile,
    subject,
    trust,
    part,
  ]);
}

function hashOfScope(scope: SubjectScope): string {
  return createHash('sha256').update(boundNameOf(scope, 'sessions')).digest('hex').slice(0, 20);
}

// A branch may have a longer name. The hash has all of it.
const longestReadable = 60;

function readablePart(subject: string): string {
  return subject.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, longestReadable);
}
