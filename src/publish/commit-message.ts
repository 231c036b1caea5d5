/** The message of the commit: what ran, and trailers by which a later job finds the commit again. Pure. */
import { agentMessage } from '../report/agent-markdown.js';
import { cutText } from '../report/cut-text.js';
import { costText, lastResult, type PublishedRun, ranSteps, stepText } from './run-facts.js';

/** GitHub shows no more of a subject. */
const maxSubject = 72;
/** A template may name a diff of any size. */
const maxTextBytes = 60_000;

/** Without secrets. `custom`: the text of the input `commit-message`, with its values. */
export function commitMessage(
  run: PublishedRun,
  custom: string | undefined,
  redact: (text: string) => string,
): string {
  const text = cutText(
    redact(custom?.trim() || `${defaultSubject(run, redact)}\n\n${agentMessage(whatRan(run))}`),
    maxTextBytes,
  );
  return `${withoutTrailers(text)}\n\n${trailers(run).join('\n')}\n`;
}

/** The title of the issue, else the first line of the last result, else the name of the workflow. */
export function defaultSubject(run: PublishedRun, redact: (text: string) => string): string {
  const { issue, workflow } = run;
  const line = issue?.title ?? firstSentence(redact(lastResult(run)));
  const subject = agentMessage(redact(line)) || `Changes by the workflow ${workflow}`;
  return oneLine(subject, maxSubject);
}

function firstSentence(text: string): string {
  const line = text.split('\n').find((one) => /\w/.test(one)) ?? '';
  const plain = line.replace(/^[#>*\-\s]+/, '').replace(/[*_`]/g, '');
  return plain.replace(/([.!:])(\s.*)?$/, '').trim();
}

/** On one line, and at most so many characters. */
export function oneLine(text: string, max: number): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length <= max ? line : `${line.slice(0, max - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function whatRan(run: PublishedRun): string {
  const steps = ranSteps(run).map((step) => `- ${stepText(step)}`);
  const cost = costText(run);
  return [`Workflow ${run.workflow}:`, ...steps, ...(cost === undefined ? [] : [`Cost: ${cost}`])].join('\n');
}

const runTrailer = 'Gump-Run';
const changeTrailer = 'Gump-Change';

function trailers(run: PublishedRun): readonly string[] {
  const sessions = ranSteps(run).flatMap(({ path, session }) =>
    session === undefined ? [] : [`Gump-Session: ${path} ${session.provider} ${session.id}`],
  );
  const lines = [
    `Gump-Workflow: ${run.workflow}`,
    `${runTrailer}: ${run.runUrl}`,
    `${changeTrailer}: ${run.change}`,
    ...sessions,
  ];
  return lines.map((line) => oneLine(line, 500));
}

/** A text of others must not have the trailers by which the action knows its commits. */
function withoutTrailers(text: string): string {
  return text.replace(/^(?=Gump-(?:Run|Change|Session|Workflow):)/gim, ' ').trim();
}

/** Whether the message is that of a commit of this run with this change. */
export function isCommitOf(
  message: string,
  { runUrl, change }: Pick<PublishedRun, 'runUrl' | 'change'>,
): boolean {
  const lines = new Set(message.split('\n'));
  return lines.has(`${runTrailer}: ${runUrl}`) && lines.has(`${changeTrailer}: ${change}`);
}

/** Whether the action made a commit with this message, in any run. */
export function isOwnCommit(message: string): boolean {
  return /^Gump-Run: \S+$/m.test(message) && /^Gump-Change: \S+$/m.test(message);
}
