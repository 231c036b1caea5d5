/** Title and body of the pull request that the action opens, and whether people have changed them since. Pure. */
import { agentMessage, markdownWithin } from '../report/agent-markdown.js';
import { cutText } from '../report/cut-text.js';
import { inlineCode, markdownTable, paragraphs } from '../report/markdown-text.js';
import { hashOf } from '../system/hash-of.js';
import { defaultSubject, oneLine } from './commit-message.js';
import { costText, lastResult, type PublishedRun, ranSteps } from './run-facts.js';

export interface PullRequestText {
  readonly title: string;
  readonly body: string;
}

/** The inputs `pr-title` and `pr-body`, with their values. */
export interface PullRequestInputs {
  readonly title?: string;
  readonly body?: string;
}

/** GitHub's limits are 256 and 65,536 characters. The marker needs some of them. */
const maxTitle = 250;
const maxBodyBytes = 60_000;

export function pullRequestText(
  run: PublishedRun,
  inputs: PullRequestInputs,
  redact: (text: string) => string,
): PullRequestText {
  // Before anything is cut: half a secret would not be found.
  const title =
    oneLine(redact(inputs.title ?? ''), maxTitle) || oneLine(defaultSubject(run, redact), maxTitle);
  const body = cutText(redact(inputs.body?.trim() ?? '') || defaultBody(run, redact), maxBodyBytes);
  return { title, body: `${withoutMarkers(body)}\n\n${markerOf(title, withoutMarkers(body))}` };
}

function defaultBody(run: PublishedRun, redact: (text: string) => string): string {
  const rows = ranSteps(run).map(({ path, agent, attempts }) => [
    inlineCode(path),
    inlineCode(agent),
    String(attempts),
  ]);
  const cost = costText(run);
  return paragraphs(
    markdownWithin(redact(lastResult(run)), maxBodyBytes / 2, agentMessage)?.markdown,
    run.issue && `Closes #${run.issue.number}`,
    rows.length === 0 ? undefined : markdownTable(['Step', 'Agent', 'Attempts'], rows),
    `Made by the workflow ${inlineCode(run.workflow)} in [this run](${run.runUrl})${cost === undefined ? '' : ` for ${cost}`}. Review it as the work of a stranger.`,
  );
}

const markerStart = '<!-- gump-action pull-request v1 ';

function markerOf(title: string, body: string): string {
  return `${markerStart}${textHash(title, body)} -->`;
}

function withoutMarkers(body: string): string {
  return body.replaceAll(markerStart, '&lt;!-- ').trim();
}

/** GitHub stores line ends as they are sent, but a person who edits the text in a browser sends CRLF. */
function textHash(title: string, body: string): string {
  return hashOf(Buffer.from(JSON.stringify([title.trim(), body.replaceAll('\r\n', '\n').trim()]))).slice(
    0,
    32,
  );
}

/** Whether the text is the one that the action wrote last. If not, a person has edited it, and it must stay. */
export function isOwnText({ title, body }: PullRequestText): boolean {
  const start = body.lastIndexOf(markerStart);
  if (start < 0) return false;
  const marker = body.slice(start + markerStart.length);
  const [hash = ''] = marker.split(' ', 1);
  return /^\S+ -->\s*$/.test(marker) && hash === textHash(title, body.slice(0, start));
}
