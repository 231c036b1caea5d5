import { describe, expect, it } from 'vitest';
import { isSubjectName, subjectOf } from '../../src/security/subject.js';

const event = (eventName: string, payload: unknown) => ({
  eventName,
  payload,
  repository: 'octo/sample',
  actor: 'octocat',
  triggeringActor: 'octocat',
});

const pullRequest = (full_name = 'octo/sample') =>
  event('pull_request', { pull_request: { number: 7, head: { repo: { full_name } } } });

const workflowRun = (full_name: string | undefined, more: object = {}) =>
  event('workflow_run', {
    workflow_run: { head_branch: 'topic', head_repository: full_name && { full_name }, ...more },
  });

const main = 'refs/heads/main';

describe('the subject of a run', () => {
  it('is the pull request of the event, whatever the event is', () => {
    const pull = { name: 'pr-7', pull: 7 };
    const comment = { issue: { number: 7, pull_request: {} } };
    expect(subjectOf(pullRequest(), 'refs/pull/7/merge')).toEqual(pull);
    expect(subjectOf(event('issue_comment', comment), main)).toEqual(pull);
    expect(subjectOf(workflowRun('octo/sample', { pull_requests: [{ number: 7 }] }), main)).toEqual(pull);
    // A runner that passes no payload.
    expect(subjectOf(event('pull_request', {}), 'refs/pull/7/merge')).toEqual(pull);
  });

  it('is no pull request into another repository, which GitHub lists as well', () => {
    const into = (name: string) => ({
      number: 7,
      base: { repo: { url: `https://api.github.com/repos/${name}` } },
    });
    const named = (name: string) => workflowRun('octo/sample', { pull_requests: [into(name)] });
    expect(subjectOf(named('Octo/Sample'), main).name).toBe('pr-7');
    expect(subjectOf(named('eve/sample'), main).name).toBe('branch-topic');
  });

  it('is else the issue, else the branch', () => {
    expect(subjectOf(event('issues', { issue: { number: 12 } }), main)).toEqual({
      name: 'issue-12',
      issue: 12,
    });
    expect(subjectOf(event('push', {}), 'refs/heads/a/b')).toEqual({ name: 'branch-a/b', branch: 'a/b' });
    expect(subjectOf(workflowRun('Octo/Sample'), main)).toEqual({ name: 'branch-topic', branch: 'topic' });
  });

  it('is no branch for a tag, even if a branch has the same name', () => {
    expect(subjectOf(event('release', {}), 'refs/tags/main')).toEqual({ name: 'tag-main' });
  });

  it('is never the branch of this repository for a run of a fork', () => {
    for (const head_branch of ['main', '../../octo/sample']) {
      expect(subjectOf(workflowRun('eve/sample', { head_branch }), main)).toEqual({
        name: `fork-eve/sample/${head_branch}`,
        isOfFork: true,
      });
    }
    expect(subjectOf(workflowRun(undefined), main)).toEqual({ name: 'fork-deleted/topic', isOfFork: true });
    expect(subjectOf(pullRequest('eve/sample'), main)).toEqual({ name: 'pr-7', pull: 7, isOfFork: true });
  });

  it('is what the input says, and a run of a fork stays one', () => {
    const push = event('push', {});
    expect(subjectOf(push, main, 'pr-7')).toEqual({ name: 'pr-7', pull: 7 });
    expect(subjectOf(push, main, 'issue-12')).toEqual({ name: 'issue-12', issue: 12 });
    expect(subjectOf(push, main, 'nightly')).toEqual({ name: 'nightly' });
    expect(subjectOf(workflowRun('eve/sample'), main, 'pr-8')).toEqual({
      name: 'pr-8',
      pull: 8,
      isOfFork: true,
    });
  });
});

describe('the input `subject`', () => {
  it.each(['pr-1', 'issue-12', 'nightly', 'a/b.c_D', 'pr-review', 'x'.repeat(100)])('may be %s', (name) =>
    expect(isSubjectName(name)).toBe(true),
  );

  it.each(['', 'a b', 'a:b', 'x'.repeat(101), 'pr-0', 'pr-07', 'issue-1234567890', 'é'])(
    'may not be "%s"',
    (name) => expect(isSubjectName(name)).toBe(false),
  );

  it.each(['branch-main', 'tag-v1', 'fork-eve/sample/main'])(
    'may not be %s, which the action gives',
    (name) => expect(isSubjectName(name)).toBe(false),
  );
});
