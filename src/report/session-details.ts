/** Why each session is new or resumed, its id, and what resuming it cost. Folded. Pure. */
import { describeSession } from '../engine/session-text.js';
import type { EarlierSession } from '../journal/event.js';
import type { Attempt, RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { formatCount } from './format.js';
import { escapeMessage, escapeText, folded, inlineCode } from './markdown-text.js';
import type { Report } from './report.js';

/** `report.json` has all of them. */
const maxLines = 200;

/** `undefined` if no agent ran. */
export function sessionDetails(report: Report, state: RunState): string | undefined {
  const lines = report.steps.flatMap(({ path }) => {
    const attempts = state.steps.get(path)?.attempts ?? [];
    return lineOf(path, attempts.at(-1), attempts.at(-2)) ?? [];
  });
  if (lines.length === 0) return undefined;
  const more = lines.length - maxLines;
  const note = more > 0 ? [`- ${more} more sessions are in the report.`] : [];
  return folded('Sessions', [...lines.slice(0, maxLines), ...note].join('\n'));
}

function lineOf(
  path: string,
  attempt: Attempt | undefined,
  previous: Attempt | undefined,
): string | undefined {
  if (attempt?.session === undefined) return undefined;
  const { session, agent, insteadOf } = attempt;
  const facts = [
    escapeMessage(describeSession({ session, ...defined({ agent, insteadOf, previous }) })),
    runLink(session.earlier),
    resumeCostText(attempt),
    session.id === undefined ? undefined : inlineCode(session.id),
  ];
  return `- ${escapeText(path)}: ${facts.filter((fact) => fact !== undefined).join(' · ')}`;
}

/** What resuming the session cost: the tokens of its first answer. */
function resumeCostText({ firstTurn }: Attempt): string | undefined {
  if (firstTurn === undefined) return undefined;
  const { inputTokens, cacheReadTokens, cacheWriteTokens } = firstTurn;
  const parts = [
    inputTokens === undefined ? undefined : `${formatCount(inputTokens)} input tokens`,
    cacheReadTokens ? `${formatCount(cacheReadTokens)} read from the cache` : undefined,
    cacheWriteTokens ? `${formatCount(cacheWriteTokens)} written to the cache` : undefined,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : `resuming cost ${parts.join(', ')}`;
}

/** The page of the earlier run. Its address is made by the action, from its own variables and a number. */
function runLink(earlier: EarlierSession | undefined): string | undefined {
  return earlier?.url === undefined ? undefined : `[run ${earlier.runId}](${encodeURI(earlier.url)})`;
}
