/**
 * The demo runs the built action twice, as a runner does. Only a directory of checkpoints remains of the first
 * machine. At the end the demo prints what this showed, and checks every sentence.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runTable } from '../../src/local/run-table.js';
import type { Report } from '../../src/report/report.js';
import { makeRepository } from '../../test/rig/repository.js';
import { type Agent, realAgent, standInAgent } from './agent.js';
import { type Claim, claimsOf } from './claims.js';
import { exampleFiles } from './example.js';
import { type JobAttempt, type JobAttemptRequest, runJobAttempt } from './job-attempt.js';
import { renderLog } from './log.js';
import { heading, indent, paint, print } from './paint.js';
import { renderSummary } from './summary.js';

/** Returns the exit code: 0 only if all claims of the demo are true. */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { agent: { type: 'string' } } });
  const scratch = await mkdtemp(join(tmpdir(), 'gump-demo-'));
  try {
    const agent = values.agent
      ? realAgent(values.agent, process.env)
      : standInAgent(join(scratch, 'calls.jsonl'));
    if (typeof agent !== 'string') return await runDemo(agent, join(scratch, 'state'));
    print(paint('red', agent));
    return 1;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function runDemo(agent: Agent, stateDirectory: string): Promise<number> {
  const files = exampleFiles(agent.kind, agent.name);
  for (const note of agent.notes) print(note);
  heading('.gump/workflows/tdd.yaml');
  print(indent(String(files['.gump/workflows/tdd.yaml']).trimEnd()));
  const repository = await makeRepository(files);
  const request = { agent, repository, stateDirectory };
  try {
    const first = await runAndShow({ ...request, number: 1 }, 'Job attempt 1, on a fresh machine');
    const stored = await readCheckpoints(stateDirectory);
    const second = await runAndShow(
      { ...request, number: 2 },
      '"Re-run failed jobs": job attempt 2, on another fresh machine',
    );
    showPrompt(second);
    return showClaims(claimsOf(first, second, stored));
  } finally {
    await repository.remove();
  }
}

async function runAndShow(request: JobAttemptRequest, title: string): Promise<JobAttempt> {
  heading(title);
  if (request.agent.kind === 'real')
    print(paint('dim', 'The log follows when the job is done, in about a minute.'));
  const attempt = await runJobAttempt(request);
  for (const stage of [attempt.main, attempt.post]) {
    if (stage !== undefined) print(renderLog(stage));
  }
  print(paint('dim', `(exit code ${attempt.main.exitCode})`));
  print(
    `\n${paint('dim', 'Job summary')}\n${indent(renderSummary(attempt.main.summary, stepTable(attempt)))}`,
  );
  return attempt;
}

function stepTable({ main }: JobAttempt): readonly string[] {
  return main.report === undefined ? [] : runTable(main.report as Report, 78);
}

/** Prints the beginning of the last prompt, up to the first lines of the gate output. */
function showPrompt({ conversation }: JobAttempt): void {
  heading('Prompt of the agent in job attempt 2');
  const lines = (conversation.prompts.at(-1) ?? '').trimEnd().split('\n');
  const shown = lines.slice(0, promptLines);
  print(indent(shown.join('\n'), '  > '));
  if (lines.length > shown.length) print(paint('dim', `  > … (${lines.length - shown.length} more lines)`));
}

const promptLines = 12;

async function readCheckpoints(directory: string): Promise<readonly Buffer[]> {
  const names = await readdir(directory).catch(() => []);
  const checkpoints = names.filter((name) => name.startsWith('gump-v2-'));
  return Promise.all(checkpoints.map((name) => readFile(join(directory, name))));
}

function showClaims(claims: readonly Claim[]): number {
  heading('What this showed');
  for (const { text, isTrue } of claims) {
    print(isTrue ? `${paint('green', '✓')} ${text}` : paint('red', `✗ NOT SEEN: ${text}`));
  }
  return claims.every(({ isTrue }) => isTrue) ? 0 : 1;
}
