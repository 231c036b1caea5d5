import { describe, expect, it } from 'vitest';
import {
  type EventFacts,
  isUntrustedPullRequest,
  requiredActors,
  trustClass,
} from '../../src/security/trust.js';

function event(eventName: string, more: Partial<EventFacts> = {}): EventFacts {
  return { eventName, payload: {}, repository: 'o/r', actor: 'ada', triggeringActor: 'ada', ...more };
}
const pullRequestFrom = (full_name: string | null) => ({
  pull_request: { head: { repo: full_name === null ? null : { full_name } } },
});

describe('trustClass', () => {
  it.each(['push', 'schedule', 'workflow_dispatch', 'release', 'merge_group', 'repository_dispatch'])(
    'trusts %s',
    (name) => expect(trustClass(event(name))).toBe('trusted'),
  );

  it.each([
    'issue_comment',
    'issues',
    'pull_request_target',
    'pull_request_review',
    'pull_request_review_comment',
    'workflow_run',
    'discussion_comment',
  ])('does not trust the actor of %s', (name) => expect(trustClass(event(name))).toBe('comment'));

  it('distinguishes a pull request of the repository from one of a fork', () => {
    expect(trustClass(event('pull_request', { payload: pullRequestFrom('O/R') }))).toBe('trusted');
    expect(trustClass(event('pull_request', { payload: pullRequestFrom('eve/r') }))).toBe('fork');
    expect(trustClass(event('pull_request', { payload: pullRequestFrom(null) }))).toBe('fork');
  });

  it.each([undefined, null, 'text', { pull_request: 1 }])(
    'treats the invalid payload %j as a fork',
    (payload) => {
      expect(trustClass(event('pull_request', { payload }))).toBe('fork');
    },
  );

  it('treats Dependabot like a fork, even if a person re-runs it', () => {
    const payload = pullRequestFrom('o/r');
    expect(trustClass(event('pull_request', { payload, actor: 'dependabot[bot]' }))).toBe('fork');
    expect(trustClass(event('push', { actor: 'dependabot[bot]' }))).toBe('fork');
  });
});

describe('isUntrustedPullRequest', () => {
  it('is true if the run gets no secrets, otherwise false', () => {
    const payload = pullRequestFrom('eve/r');
    expect(isUntrustedPullRequest(event('pull_request', { payload }))).toBe(true);
    expect(isUntrustedPullRequest(event('pull_request_review', { payload }))).toBe(true);
    expect(isUntrustedPullRequest(event('pull_request_target', { payload }))).toBe(false);
    expect(isUntrustedPullRequest(event('issue_comment', { payload }))).toBe(false);
  });
});

describe('requiredActors', () => {
  it('requires nobody if only people with write permission can trigger the event', () => {
    expect(requiredActors(event('push'))).toEqual({ logins: [], requiresEventCommit: false });
    expect(requiredActors(event('pull_request', { payload: pullRequestFrom('eve/r') })).logins).toEqual([]);
  });

  it('requires every actor of a public event, each once', () => {
    expect(requiredActors(event('issue_comment'))).toEqual({ logins: ['ada'], requiresEventCommit: true });
    expect(requiredActors(event('issue_comment', { triggeringActor: 'bob' })).logins).toEqual(['ada', 'bob']);
    const payload = { workflow_run: { actor: { login: 'eve' } } };
    expect(requiredActors(event('workflow_run', { payload })).logins).toEqual(['ada', 'eve']);
  });
});
