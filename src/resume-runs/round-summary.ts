/** The job summary of a round: which runs, why, and when next. Pure. */
import { escapeMessage, escapeText, markdownTable, paragraphs } from '../report/markdown-text.js';
import type { RerunRules } from './decide-rerun.js';
import type { RoundResult, RoundRun } from './resume-round.js';
import {
  countTexts,
  isCounted,
  nextTime,
  permissionText,
  roundTitle,
  roundWarnings,
  runTexts,
} from './round-text.js';

/** A summary has at most 1 MiB. */
const mostRows = 500;

export interface RoundSummaryFacts {
  readonly result: RoundResult;
  readonly rules: RerunRules;
  readonly isDryRun: boolean;
  /** `https://github.com/owner/name`. */
  readonly repositoryUrl: string;
}

export function roundSummary({ result, rules, isDryRun, repositoryUrl }: RoundSummaryFacts): string {
  const shown = result.runs.filter((run) => !isCounted(run)).sort(byInterest);
  const rows = shown.slice(0, mostRows).map((one) => {
    const { name, number, id, attempt } = one.run;
    const link = `[${escapeText(`${name} #${number}`)}](${repositoryUrl}/actions/runs/${id})`;
    const { result: done, why } = runTexts(one, rules);
    return [link, String(attempt), escapeMessage(done), escapeMessage(why)];
  });
  const next = nextTime(result);
  const counts = countTexts(result);
  const body = paragraphs(
    `### gump-action/resume: ${roundTitle(result, isDryRun)}`,
    next && `**Next:** a run is due at ${next}.`,
    rows.length > 0 ? markdownTable(['Run', 'Job attempt', 'Result', 'Why'], rows) : undefined,
    shown.length > mostRows ? `${shown.length - mostRows} more runs.` : undefined,
    counts.length > 0 ? `Left alone: ${counts.join(', ')}.` : undefined,
    ...problemsOfRound(result).map((problem) => `⚠ ${escapeMessage(problem)}`),
  );
  return `${body}\n`;
}

function problemsOfRound(result: RoundResult): readonly string[] {
  const { stop } = result;
  return [...(stop?.stoppedBy === 'permission' ? [permissionText(stop)] : []), ...roundWarnings(result)];
}

/** First what the round re-ran, then what waits, then what needs a person. */
function byInterest(one: RoundRun, other: RoundRun): number {
  return interest(one) - interest(other);
}

function interest({ decision, problem }: RoundRun): number {
  if (problem !== undefined) return 3;
  return decision === undefined ? 3 : { due: 0, wait: 1, leave: 2 }[decision.kind];
}
