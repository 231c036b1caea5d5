import { describe, expect, it } from 'vitest';
import {
  type EventFacts,
  isUntrustedPullRequest,
  needsCheck,
  requiredActors,
  requiredForkActors,
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
  const logins = (facts: EventFacts) => requiredActors(facts).map(({ login }) => login);
  const user = (login: string, type = 'User') => ({ login, type });

  it.each([
    ...['push', 'pull_request', 'merge_group', 'workflow_dispatch', 'repository_dispatch', 'schedule'],
    ...['release', 'create', 'delete', 'workflow_call', 'deployment'],
  ])('requires nobody for %s', (name) => {
    expect(needsCheck({ eventName: name })).toBe(false);
    expect(requiredActors(event(name))).toEqual([]);
  });

  it.each([
    ...['check_suite', 'check_run', 'status', 'label', 'milestone', 'issue_comment', 'issues', 'public'],
    ...['pull_request_target', 'pull_request_review', 'page_build', 'registry_package', 'deployment_status'],
    ...['branch_protection_rule', 'image_version', 'unknown', '', 'Push', 'constructor'],
  ])('requires the actors of %s', (name) => {
    expect(needsCheck({ eventName: name })).toBe(true);
    expect(trustClass(event(name))).toBe('comment');
    expect(logins(event(name))).toEqual(['ada']);
    expect(logins(event(name, { triggeringActor: 'bob' }))).toEqual(['ada', 'bob']);
  });

  it('requires both actors of the run that ended, and an empty login if the payload names none', () => {
    const run = (workflow_run: object) => logins(event('workflow_run', { payload: { workflow_run } }));
    expect(run({ actor: user('eve'), triggering_actor: user('mal') })).toEqual(['ada', 'eve', 'mal']);
    expect(run({ actor: user('ada'), triggering_actor: user('ada') })).toEqual(['ada']);
    expect(run({ actor: user('ada'), triggering_actor: null })).toEqual(['ada', '']);
    expect(logins(event('workflow_run', { payload: 'text' }))).toEqual(['ada', '']);
  });

  it('recognizes bots by their suffix, and by the type in the payload', () => {
    const bots = (facts: EventFacts) => requiredActors(facts).filter(({ isBot }) => isBot);
    expect(bots(event('issues', { actor: 'renovate[bot]' }))).toEqual([
      { login: 'renovate[bot]', isBot: true },
    ]);
    const payload = { sender: user('Copilot', 'Bot') };
    expect(bots(event('issues', { payload, actor: 'Copilot' }))).toEqual([{ login: 'Copilot', isBot: true }]);
    expect(bots(event('issues', { payload }))).toEqual([]);
  });

  it('requires the actor of a pull request of a fork', () => {
    const fork = (payload: unknown, name = 'pull_request') => requiredForkActors(event(name, { payload }));
    expect(fork(pullRequestFrom('eve/r'))).toEqual([{ login: 'ada', isBot: false }]);
    expect(fork(pullRequestFrom(null))).toHaveLength(1);
    expect(fork(pullRequestFrom('o/r'))).toEqual([]);
    expect(fork({}, 'push')).toEqual([]);
  });
});
