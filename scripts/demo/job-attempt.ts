/** Runs one job attempt on its own machine, from checkout to post, and collects its results. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createMachine, type Machine, type StageResult } from '../../test/rig/machine.js';
import type { Report } from '../../test/rig/report.js';
import type { Repository } from '../../test/rig/repository.js';
import type { Agent } from './agent.js';
import { type Conversation, readConversation } from './conversation.js';
import { spec, testsFile } from './example.js';

export interface JobAttempt {
  readonly workspace: string;
  readonly usesLogin: boolean;
  readonly main: StageResult;
  readonly post: StageResult | undefined;
  readonly report: Report | undefined;
  /** Session id of `impl`. */
  readonly sessionId: string | undefined;
  /** The session as it was after the agent ended. */
  readonly conversation: Conversation;
  /** The tests file in the workspace at the end. */
  readonly tests: string | undefined;
  /** Paths that still exist after the job: the folder of the machine, or the session file. */
  readonly remainingPaths: readonly string[];
}

export interface JobAttemptRequest {
  readonly number: number;
  readonly agent: Agent;
  readonly repository: Repository;
  /** The only folder that outlives the machine. */
  readonly stateDirectory: string;
}

export async function runJobAttempt(request: JobAttemptRequest): Promise<JobAttempt> {
  const machine = await createMachine();
  try {
    await machine.checkout(request.repository);
    await request.agent.install(machine, request.number);
    const result = await runSteps(machine, request);
    await machine.wipe();
    const paths = [machine.root, result.conversation.file];
    return { ...result, remainingPaths: paths.filter((path) => path !== undefined).filter(existsSync) };
  } finally {
    await machine.wipe();
  }
}

async function runSteps(
  machine: Machine,
  { number, agent, stateDirectory }: JobAttemptRequest,
): Promise<Omit<JobAttempt, 'remainingPaths'>> {
  const job = await machine.startJob({ jobAttempt: number });
  const main = await job.runStep({
    inputs: { workflow: 'tdd', spec, 'state-store': `directory:${stateDirectory}` },
    env: agent.env,
  });
  const session = main.report?.steps.find((step) => step.path === 'impl')?.attempts.at(-1)?.session?.id;
  // This must happen before post, which removes the session files.
  const conversation =
    session === undefined ? { prompts: [] } : readConversation(agent.home(machine), session);
  const [post] = await job.finish();
  const tests = await readFile(join(machine.workspace, testsFile), 'utf8').catch(() => undefined);
  const { workspace } = machine;
  const { usesLogin } = agent;
  return { workspace, usesLogin, main, post, report: main.report, sessionId: session, conversation, tests };
}
