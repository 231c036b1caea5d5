/** A repository with a workflow, GitHub's API on loopback in front of it, and jobs that publish. */
import { type GitHubServer, startGitHub } from '../rig/github/server.js';
import type { StepResult } from '../rig/machine.js';
import type { AgentAction } from '../rig/stand-in.js';
import { createHarness, type Harness, type HarnessOptions, type RunJobOptions } from './harness.js';

export const flow = `
name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: do it
`;

export interface ApplyScene {
  readonly harness: Harness;
  readonly github: GitHubServer;
  /** Runs a job with this `apply`. */
  run(apply: string, options?: RunJobOptions): Promise<StepResult>;
  /** How often an agent was started. */
  calls(): Promise<number>;
  /** Commits on top of the first one. */
  commitsOn(branch: string): Promise<number>;
  /** The requests that wrote, as `METHOD path`, without the start of the path. */
  writes(): readonly string[];
}

/** What the agent does in every job. */
export const change: readonly AgentAction[] = [
  { write: 'src/new.ts', content: 'new\n' },
  { say: 'Add the new file. It was missing.' },
];

export async function openApplyScene(options: Partial<HarnessOptions> = {}): Promise<ApplyScene> {
  const harness = await createHarness({ workflow: flow, ...options });
  const github = await startGitHub({ git: harness.repository });
  const { repository } = harness;
  return {
    harness,
    github,
    run: (apply, { inputs, ...job } = {}) =>
      harness.runJob({
        apiUrl: github.url,
        rules: [{ do: change }],
        inputs: { apply, ...inputs },
        ...job,
      }),
    calls: async () => (await harness.calls()).length,
    commitsOn: async (branch) =>
      Number(await repository.git('rev-list', '--count', `${repository.sha}..${branch}`)),
    writes: () =>
      github
        .requests()
        .filter(({ method }) => method !== 'GET')
        .map(
          ({ method, path }) => `${method} ${decodeURIComponent(path).replace('/repos/octo/sample/', '')}`,
        ),
  };
}
