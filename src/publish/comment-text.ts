/**
 * The text of the sticky comment, from the parts of the summary. What people read first is open: status, cost, failures, the
 * wanted results, steps. The rest is folded. Pure.
 */

import { cleanCode } from '../event/clean-text.js';
import { agentMarkdown, markdownWithin } from '../report/agent-markdown.js';
import { approvalDetails } from '../report/approval-details.js';
import { failureDetails } from '../report/failures.js';
import { findingsTable } from '../report/findings-table.js';
import { fitSummary } from '../report/fit-summary.js';
import { headline } from '../report/headline.js';
import { escapeMessage, escapeText, folded, paragraphs } from '../report/markdown-text.js';
import type { Report, ReportStep } from '../report/report.js';
import { resultDetails } from '../report/result-details.js';
import { resultText } from '../report/result-of-step.js';
import { stepsTable, taskRows } from '../report/steps-table.js';
import { type SummaryFacts, warningList } from '../report/summary.js';
import { taskTable } from '../report/task-rows.js';
import { type Redactor, redactDeep } from '../security/redact.js';
import { commentMarker } from './publication-marker.js';
import { maxCommentBytes } from './review-text.js';

export interface CommentFacts extends Omit<SummaryFacts, 'changes' | 'graph'> {
  /** `placeKey`. */
  readonly key: string;
  /** Steps whose result is shown in full. */
  readonly results: readonly string[];
  /** The page of this job attempt's run. */
  readonly runUrl: string;
  /** `https://github.com/owner/name`. */
  readonly repositoryUrl: string;
}

/** More failed steps than that are in the summary. */
const maxFailures = 5;
/** Left for the tables after the results. */
const tableBytes = 6_000;

export function commentText(unredacted: CommentFacts, redact: Redactor): string {
  // Before escaping and cutting, which change a secret so that it is not found. Programs print characters that GitHub
  // refuses, and with them the comment.
  const facts = redactDeep(unredacted, (text) => cleanCode(redact(text)));
  const { report, state, runUrl, warnings } = facts;
  const head = `${commentMarker(facts.key)}\n${headline(report, state)} · [run](${runUrl})`;
  const failures = failureDetails(report, state, maxFailures);
  const next = facts.rerun && `**Next:** ${escapeMessage(facts.rerun)}`;
  const published = publishedText(facts);
  const used = Buffer.byteLength(paragraphs(head, failures, next, published));
  const results = fullResults(facts, maxCommentBytes - tableBytes - used);
  const tasks = taskRows(facts).map(({ split, rows }) => taskTable(split, rows));
  return fitSummary(
    [
      { name: 'headline', text: head },
      { name: 'failures', text: failures, order: 1 },
      { name: 'what waits for approval', text: approvalDetails(report), order: 3 },
      { name: 'next step', text: next },
      { name: 'published', text: published },
      { name: 'results', text: results, order: 2 },
      { name: 'steps', text: stepsTable(facts), order: 4 },
      { name: 'findings', text: foldedPart('Findings', findingsTable(report)), order: 5 },
      { name: 'tasks', text: tasks.join('\n\n'), order: 6 },
      { name: 'warnings', text: foldedPart(`Warnings: ${warnings.length}`, warningList(warnings)), order: 7 },
      { name: 'other results', text: otherResults(facts), order: 8 },
    ],
    maxCommentBytes,
    (names) => `Too large for a comment, see the [run](${runUrl}): ${names}.`,
  );
}

function foldedPart(title: string, text: string | undefined): string | undefined {
  return text === undefined ? undefined : folded(title, text);
}

/** The commit and the pull request of this run, and its review. */
function publishedText({ state, repositoryUrl, published = [] }: CommentFacts): string | undefined {
  const links = state.published.flatMap(({ commit, pullRequest }) => [
    ...(pullRequest === undefined
      ? []
      : [`Pull request: [#${pullRequest}](${repositoryUrl}/pull/${pullRequest})`]),
    ...(commit === undefined ? [] : [`Commit: [${commit.slice(0, 7)}](${repositoryUrl}/commit/${commit})`]),
  ]);
  const all = [...new Set(links), ...published];
  return all.length === 0 ? undefined : all.join(' · ');
}

/** The results of the wanted steps as Markdown, each cut so that all of them have at most `room` bytes. */
function fullResults({ report, results, runUrl }: CommentFacts, room: number): string | undefined {
  const steps = shownSteps(report, results);
  if (steps.length === 0) return undefined;
  const share = Math.max(1_000, Math.floor(room / steps.length) - 500);
  return steps
    .map((step) => paragraphs(`**Result of ${titleOf(step)}**`, fitted(step, share, runUrl)))
    .join('\n\n');
}

function shownSteps({ steps }: Report, names: readonly string[]): readonly ReportStep[] {
  return names.flatMap(
    (name) => steps.find(({ path, result }) => path === name && result !== undefined) ?? [],
  );
}

function titleOf({ path, result }: ReportStep): string {
  const verdict = result?.pass === undefined ? '' : result.pass ? ' (passed)' : ' (not passed)';
  return `${escapeText(path)}${verdict}`;
}

/** Making a text harmless adds characters, so it is cut before, and more if the result is too long. */
function fitted({ result }: ReportStep, max: number, runUrl: string): string {
  const text = result === undefined ? '' : resultText(result).trim();
  const found = markdownWithin(text, max, agentMarkdown);
  if (found === undefined) return `It is in the [run](${runUrl}).`;
  return found.isWhole ? found.markdown : paragraphs(found.markdown, `The rest is in the [run](${runUrl}).`);
}

/** Folded, as code: nobody asked to read them here. */
function otherResults({ report, results }: CommentFacts): string | undefined {
  const steps = report.steps.filter(({ path }) => !results.includes(path));
  const details = resultDetails({ ...report, steps });
  return details === undefined || details.startsWith('<details>') ? details : folded('Results', details);
}
