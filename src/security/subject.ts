/** What a run is about: the pull request of its event, else the issue, else the branch. Pure. */
import { pullRequestNumbers } from './allowed-commits.js';
import { type EventFacts, textAt, valueAt } from './trust.js';

export interface Subject {
  /** `pr-7`, `issue-12`, `branch-main`, `tag-v1`, `fork-OWNER/NAME/BRANCH`, or the input `subject`. */
  readonly name: string;
  /** The pull request that results go to. */
  readonly pull?: number;
  /** The issue that results go to. */
  readonly issue?: number;
  /** The branch of this repository that the run is about. Never that of a fork, even if the names are equal. */
  readonly branch?: string;
  /**
   * The event names a head of another repository. Nothing of the run may go to a branch of this repository. The
   * payload of `issue_comment` does not name the head: look up the pull request.
   */
  readonly isOfFork?: true;
}

/** `ref`: GITHUB_REF. `override`: the input `subject`, checked by `isSubjectName`. */
export function subjectOf(event: EventFacts, ref: string, override?: string): Subject {
  const own = override === undefined ? ownSubject(event, ref) : namedSubject(override);
  return isAboutFork(event) ? { ...own, isOfFork: true } : own;
}

/** Beginnings that only the action gives: a name that anybody chooses must not be that of a branch. */
const ownPrefixes = ['branch-', 'tag-', 'fork-'] as const;

/** Whether the input `subject` may have this value. */
export function isSubjectName(name: string): boolean {
  if (!/^[A-Za-z0-9._/-]{1,100}$/.test(name)) return false;
  if (/^(?:pr|issue)-\d+$/.test(name)) return /-[1-9]\d{0,8}$/.test(name);
  return !ownPrefixes.some((prefix) => name.startsWith(prefix));
}

function namedSubject(name: string): Subject {
  const [, kind, number] = /^(pr|issue)-(\d+)$/.exec(name) ?? [];
  if (kind === undefined) return { name };
  return kind === 'pr' ? { name, pull: Number(number) } : { name, issue: Number(number) };
}

function ownSubject(event: EventFacts, ref: string): Subject {
  // The payload can be missing on other runners. Only GitHub creates refs below `refs/pull`.
  const pull = pullRequestNumbers(event)[0] ?? pullOfRef(ref);
  if (pull !== undefined) return { name: `pr-${pull}`, pull };
  const issue = valueAt(event.payload, 'issue', 'number');
  if (typeof issue === 'number') return { name: `issue-${issue}`, issue };
  const earlier = textAt(event.payload, 'workflow_run', 'head_branch');
  if (earlier !== undefined && isAboutFork(event))
    return { name: `fork-${sourceOf(event) ?? 'deleted'}/${earlier}` };
  const tag = /^refs\/tags\/(.+)$/.exec(ref)?.[1];
  if (earlier === undefined && tag !== undefined) return { name: `tag-${tag}` };
  const branch = earlier ?? ref.replace(/^refs\/heads\//, '');
  return { name: `branch-${branch}`, branch };
}

function pullOfRef(ref: string): number | undefined {
  const number = /^refs\/pull\/([1-9]\d*)\//.exec(ref)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Without a head repository, it was a fork that was deleted. */
function isAboutFork(event: EventFacts): boolean {
  const { payload, repository } = event;
  const isNamed = ['workflow_run', 'pull_request'].some((key) => valueAt(payload, key) !== undefined);
  return isNamed && sourceOf(event)?.toLowerCase() !== repository.toLowerCase();
}

/** `owner/name` of the repository that the head of the event is in. */
function sourceOf({ payload }: EventFacts): string | undefined {
  return (
    textAt(payload, 'workflow_run', 'head_repository', 'full_name') ??
    textAt(payload, 'pull_request', 'head', 'repo', 'full_name')
  );
}
