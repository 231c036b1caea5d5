/** A pull request of the test's repository as GitHub knows it. */
import type { StoredPull } from './state.js';

type PullFacts = Pick<StoredPull, 'number' | 'headRef'> & Partial<StoredPull>;

/** `pull`: what `repository.pullRequest` returns, and more. Default: by ada, from the repository itself. */
export function storedPull(pull: PullFacts): StoredPull {
  return {
    title: `Change ${pull.number}`,
    body: '',
    author: { login: 'ada', type: 'User' },
    state: 'open',
    base: 'main',
    headRepository: 'octo/sample',
    ...pull,
  };
}
