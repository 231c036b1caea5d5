/** Describes a run in short lines that tests can compare, from the report and from the calls of the CLIs. */
import type { Report } from '../rig/report.js';
import type { AgentCall } from '../rig/stand-in.js';

/** `impl#2@1 resumed kept-on-retry failed:gate`: step, attempt, job attempt, session, reason of the session, result. */
export function attemptLines(report: Report | undefined): readonly string[] {
  return (report?.steps ?? []).flatMap((step) =>
    step.attempts.map(({ number, jobAttempt, session, status, failure }) =>
      [
        `${step.path}#${number}@${jobAttempt}`,
        session === undefined ? 'gates' : `${session.effective} ${session.reason}`,
        failure === undefined ? status : `${status}:${failure.kind}`,
      ].join(' '),
    ),
  );
}

/** `claude resume a after 2`: provider, mode, session, number of earlier prompts. Sessions are named `a`, `b` … by first call. */
export function callLines(calls: readonly AgentCall[]): readonly string[] {
  const names = new Map<string, string>();
  const nameOf = (id: string) => {
    if (!names.has(id)) names.set(id, String.fromCharCode(97 + names.size));
    return names.get(id);
  };
  return calls.map(({ provider, session, earlier, refused }) => {
    const name = session.id === undefined ? '?' : nameOf(session.id);
    return `${provider} ${session.mode} ${name} after ${earlier.length}${refused === undefined ? '' : ' refused'}`;
  });
}

/** The rendered prompts without the notes that the action adds. */
export function promptBodies(prompts: readonly string[]): readonly string[] {
  return prompts.map((prompt) => prompt.split('\n\n---\n\n')[0]?.trim() ?? '');
}

/** The session id of the last attempt of each step. */
export function sessionIdsOf(outputs: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const sessions = JSON.parse(outputs.sessions ?? '{}') as Record<string, { readonly id?: string }>;
  return Object.fromEntries(Object.entries(sessions).map(([step, { id }]) => [step, id ?? '']));
}
