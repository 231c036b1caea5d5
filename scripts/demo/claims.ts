/** What the demo shows. Every sentence is checked against the results, and a false one fails the demo. */
import type { ReportStep } from '../../test/rig/report.js';
import type { JobAttempt } from './job-attempt.js';

export interface Claim {
  readonly text: string;
  readonly isTrue: boolean;
}

/** `stored`: the files that outlived the first machine. */
export function claimsOf(first: JobAttempt, second: JobAttempt, stored: readonly Buffer[]): readonly Claim[] {
  return [
    ...firstAttemptClaims(first),
    ...stateClaims(first, stored),
    ...resultClaims(first, second),
    ...sessionClaims(first, second),
  ];
}

function firstAttemptClaims({ main, report }: JobAttempt): readonly Claim[] {
  const impl = stepOf(report?.steps, 'impl');
  const last = impl?.attempts.at(-1);
  const gate = last?.gates?.find(({ status }) => status === 'failed');
  return [
    {
      text: `In job attempt 1, \`tests\` passed and a gate of \`impl\` (${gate?.name}) failed.`,
      isTrue:
        main.exitCode === 1 &&
        main.outputs['failed-step'] === 'impl' &&
        last?.failure?.kind === 'gate' &&
        stepOf(report?.steps, 'tests')?.status === 'passed',
    },
  ];
}

function stateClaims(first: JobAttempt, stored: readonly Buffer[]): readonly Claim[] {
  const bytes = stored.reduce((sum, file) => sum + file.length, 0);
  const isReadable = first.conversation.prompts.some((text) =>
    stored.some((file) => file.includes(text.slice(0, 40))),
  );
  const removed = first.usesLogin
    ? 'The temp folder and the workspace of its machine are deleted, and so is the session in your home folder'
    : 'The home folder, the temp folder and the workspace of its machine are deleted';
  return [
    {
      text: `${removed}. What remains: ${stored.length} sealed checkpoints, ${Math.ceil(bytes / 1024)} KB, without any readable text.`,
      isTrue: first.remainingPaths.length === 0 && stored.length > 0 && !isReadable,
    },
  ];
}

function resultClaims(first: JobAttempt, second: JobAttempt): readonly Claim[] {
  const tests = stepOf(second.report?.steps, 'tests');
  const paid = tests?.attempts.reduce((sum, attempt) => sum + (attempt.usage?.costUsd ?? 0), 0) ?? 0;
  const before = first.report?.totals.costUsd ?? 0;
  const after = second.report?.totals.costUsd ?? 0;
  const inSecond = attemptsIn(second, 2).reduce((sum, attempt) => sum + (attempt.usage?.costUsd ?? 0), 0);
  return [
    {
      text: `Job attempt 2 continued on another machine, in another folder, and passed.`,
      isTrue:
        second.main.exitCode === 0 &&
        second.main.outputs.resumed === 'true' &&
        second.workspace !== first.workspace,
    },
    {
      text: `\`tests\` did not run again and cost nothing again (${dollars(paid)}, once). Its file was restored.`,
      isTrue:
        tests?.takenOver === true &&
        tests.attempts.every(({ jobAttempt }) => jobAttempt === 1) &&
        attemptsIn(second, 2).length === 1 &&
        Math.abs(before + inSecond - after) < 1e-9 &&
        first.tests !== undefined &&
        second.tests === first.tests,
    },
  ];
}

function sessionClaims(first: JobAttempt, second: JobAttempt): readonly Claim[] {
  const { prompts } = second.conversation;
  const earlier = prompts.slice(0, -1);
  const latestPrompt = prompts.at(-1) ?? '';
  return [
    {
      text: `The agent resumed the same session: ${second.sessionId}.`,
      isTrue: second.sessionId !== undefined && second.sessionId === first.sessionId,
    },
    {
      text: `The session still contained the earlier turns:\n${earlier.map((text) => `  - ${truncate(text, 74)}`).join('\n')}`,
      isTrue: earlier.length >= 2 && JSON.stringify(earlier) === JSON.stringify(first.conversation.prompts),
    },
    {
      text: `The new prompt reports the failure: ${truncate(latestPrompt.split('\n---\n')[1] ?? '')}`,
      isTrue: latestPrompt.includes('at this task failed') && latestPrompt.includes('Reported errors:'),
    },
  ];
}

function attemptsIn({ report }: JobAttempt, jobAttempt: number) {
  return (report?.steps ?? [])
    .flatMap((step) => step.attempts)
    .filter((one) => one.jobAttempt === jobAttempt);
}

function stepOf(steps: readonly ReportStep[] | undefined, path: string): ReportStep | undefined {
  return steps?.find((step) => step.path === path);
}

function dollars(amount: number): string {
  return `$${amount.toFixed(4)}`;
}

function truncate(text: string, length = 100): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}
