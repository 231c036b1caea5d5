/** The text of a pull request as the action writes it. */
import { emptyState } from '../../src/journal/run-state.js';
import { type PullRequestText, pullRequestText } from '../../src/publish/pull-request-text.js';

const run = { workflow: 'flow', runUrl: 'https://example.com/run', change: 'c', state: emptyState };

export function ownText(title: string, body: string): PullRequestText {
  return pullRequestText(run, { title, body }, (text) => text);
}
