import { describe, expect, it } from 'vitest';
import { ownBranch, type PullFacts, pullRequestBase, pushBranch } from '../../src/publish/publish-branch.js';

const event = (eventName: string, payload: object = {}) => ({
  eventName,
  payload,
  repository: 'octo/sample',
  actor: 'ada',
  triggeringActor: 'ada',
});

const pull: PullFacts = {
  number: 7,
  isOpen: true,
  headRef: 'topic',
  headRepository: 'Octo/Sample',
  base: 'main',
};

const main = { event: event('push'), ref: 'refs/heads/main' };
const earlier = (full_name: string | undefined) =>
  event('workflow_run', { workflow_run: { head_branch: 'topic', head_repository: { full_name } } });

describe('a push goes', () => {
  it('to the head branch of an open pull request of this repository', () => {
    expect(pushBranch({ ...main, pull })).toEqual({ branch: 'topic' });
  });

  it('otherwise to the branch of the run', () => {
    expect(pushBranch(main)).toEqual({ branch: 'main' });
    expect(pushBranch({ ...main, ref: 'refs/heads/a/b' })).toEqual({ branch: 'a/b' });
    expect(pushBranch({ event: earlier('octo/sample'), ref: 'refs/heads/main' })).toEqual({
      branch: 'topic',
    });
  });

  it.each([
    ['a fork', { ...main, pull: { ...pull, headRepository: 'eve/sample' } }, /comes from eve\/sample/],
    ['a deleted repository', { ...main, pull: without(pull) }, /comes from a deleted repository/],
    ['a closed pull request', { ...main, pull: { ...pull, isOpen: false } }, /is closed/],
    [
      'an event of a fork about another pull request',
      { ...main, pull, isOfFork: true } as const,
      /head of another repository/,
    ],
    ['an event of a fork about a branch', { ...main, isOfFork: true } as const, /head of another repository/],
    ['a run of a fork', { event: earlier('eve/sample'), ref: 'refs/heads/main' }, /not for a branch of octo/],
    ['a tag', { ...main, ref: 'refs/tags/v1' }, /for the tag `v1`/],
    ['a pull request without a number', { ...main, ref: 'refs/pull/7/merge' }, /for `refs\/pull\/7\/merge`/],
    ['a merge queue', { ...main, ref: 'refs/heads/gh-readonly-queue/main/pr-1-abc' }, /merge queue/],
  ])('nowhere for %s', (_name, facts, message) => {
    expect(pushBranch(facts)).toEqual({ problem: expect.stringMatching(message) });
  });
});

function without({ headRepository: _headRepository, ...rest }: PullFacts): PullFacts {
  return rest;
}

describe('a pull request is opened', () => {
  it('into the branch of an open pull request, into the base of a closed one, else into the branch of the run', () => {
    expect(pullRequestBase({ ...main, pull })).toEqual({ branch: 'topic' });
    expect(pullRequestBase({ ...main, pull: { ...pull, isOpen: false } })).toEqual({ branch: 'main' });
    expect(pullRequestBase(main)).toEqual({ branch: 'main' });
    const ofFork = { ...main, pull: { ...pull, headRepository: 'eve/sample' } };
    expect(pullRequestBase(ofFork)).toEqual({ problem: expect.stringMatching(/comes from eve\/sample/) });
  });

  it('from a branch whose name git accepts', () => {
    expect(ownBranch('fix', '12')).toBe('gump/fix-12');
    expect(ownBranch('fix', '12', 2)).toBe('gump/fix-12-2');
    expect(ownBranch('..a//b ~^:?*[\\..lock', 'x@{y}.lock')).toBe('gump/a-b-x-y');
    expect(ownBranch('ü', '…')).toBe('gump/run-run');
    expect(ownBranch('w'.repeat(300), '1').length).toBeLessThan(100);
  });
});
