/**
 * Step paths: how they are made and taken apart. No other file looks inside a path.
 *
 * A path is the names from the workflow down to a step, joined by `/`: `impl`, `build/a/impl`. A name is that of a
 * step, of a task of a split, or of a call: `gate:review:2` is the workflow that the gate `review` calls at attempt 2
 * of the step before it in the path. Only call names contain a `:`.
 *
 * A prefix is what the paths of some steps begin with: empty, or a path with a `/` at the end. The empty path is that
 * of the workflow as a whole.
 *
 * The journal stores paths (`step`) and the prefixes of parallel branches (`lane`), so the grammar must not change.
 */

/** Why an attempt calls a workflow: `get:NAME` for results, `retry:INDEX` as a retry condition, `gate:NAME` as a gate. */
export type CallRole = `${'get' | 'retry' | 'gate'}:${string}`;

export interface CallPlace {
  /** The step whose attempt makes the call. */
  readonly owner: string;
  readonly purpose: 'get' | 'retry' | 'gate';
  /** The number of that attempt. */
  readonly attempt: number;
}

/** The names in a path, from the outermost to that of the step. */
export function namesIn(path: string): readonly string[] {
  return path.split('/');
}

export function pathOf(prefix: string, name: string): string {
  return `${prefix}${name}`;
}

/** What the paths of the steps below a step begin with. */
export function prefixBelow(path: string): string {
  return `${path}/`;
}

/** The step whose steps have this prefix. */
export function pathOfPrefix(prefix: string): string {
  return prefix.slice(0, -1);
}

/** Whether a step is in another one, at any depth. Every step is below the empty path. */
export function isBelow(path: string, ancestor: string): boolean {
  return ancestor === '' || path.startsWith(prefixBelow(ancestor));
}

export function isAtOrBelow(path: string, ancestor: string): boolean {
  return path === ancestor || isBelow(path, ancestor);
}

/** Whether a step is directly in another one. */
export function isChildOf(path: string, parent: string): boolean {
  return isBelow(path, parent) && nameBelow(path, parent) === path.slice(prefixBelow(parent).length);
}

/** The first name below `ancestor`: for `build/a/impl` in `build` it is `a`. */
export function nameBelow(path: string, ancestor: string): string {
  return path.slice(prefixBelow(ancestor).length).split('/', 1)[0] ?? '';
}

/** Whether the path is `end`, or ends with those names. */
export function endsInPath(path: string, end: string): boolean {
  return `/${path}`.endsWith(`/${end}`);
}

/** Every prefix of a path or prefix, the longest first, no shorter than `outermost`. */
export function enclosingPrefixes(path: string, outermost = ''): readonly string[] {
  const ends = [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index + 1));
  return ['', ...ends].filter((prefix) => prefix.startsWith(outermost)).reverse();
}

export function callPath(owner: string, role: CallRole, attempt: number): string {
  return pathOf(prefixBelow(owner), callName(role, attempt));
}

export function callName(role: CallRole, attempt: number): string {
  return `${role}:${attempt}`;
}

/** The role in a call name; `undefined` if the name is not that of a call. */
export function roleInName(name: string): string | undefined {
  return /^(.+):\d+$/.exec(name)?.[1];
}

/** The call at a path; `undefined` if the path is that of a step, even of one in a called workflow. */
export function callAt(path: string): CallPlace | undefined {
  const [, owner, purpose, attempt] = /^(.*)\/(get|retry|gate):[^/]*:(\d+)$/.exec(path) ?? [];
  if (owner === undefined) return undefined;
  return { owner, purpose: purpose as CallPlace['purpose'], attempt: Number(attempt) };
}

/** Whether an attempt of a step at or below `ancestor` has called the workflow that the path is, or is in. */
export function isInCall(path: string, ancestor = ''): boolean {
  return path.slice(ancestor.length).includes(':');
}

/** The step whose attempt makes the innermost call around these steps; `undefined` if no attempt calls them. */
export function ownerOf(prefix: string): string | undefined {
  return /^(.*)\/(?:get|retry|gate):[^/]+\//.exec(prefix)?.[1];
}

/** The name of the parallel branch whose steps have this prefix; empty outside parallel branches. */
export function branchName(branchPrefix: string): string {
  return pathOfPrefix(branchPrefix);
}

/** Whether one branch is the other one or in it. All branches are in the main branch, whose prefix is empty. */
export function isInBranch(branchPrefix: string, outer: string): boolean {
  return branchPrefix.startsWith(outer);
}

/** Whether two branches run one inside the other. Otherwise they run at the same time and do not see each other. */
export function isSameOrNestedBranch(one: string, other: string): boolean {
  return isInBranch(one, other) || isInBranch(other, one);
}
