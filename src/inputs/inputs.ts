/**
 * The inputs of the action, from texts to typed values. Strict: an invalid value is an error that names the input,
 * the value and what is allowed. All errors are reported together. Whether files, steps and agents exist is checked
 * by the code that uses them.
 */

import { stateKeyLines } from '../checkpoint/seal-secrets.js';
import type { CommandName } from '../gates/resolve-gate.js';
import { defined } from '../optional-keys.js';
import type { Permission } from '../providers/provider.js';
import { type GetInput, openInputReader } from './input-reader.js';
import { readAgentArgs, readCliVersions, readCommands, readVars } from './mapping-inputs.js';
import { readMaxResumeTokens, readMaxSessionAge } from './session-inputs.js';
import {
  readAllowedBots,
  readBoolean,
  readCheckpointInterval,
  readChoice,
  readCommentResults,
  readJobStatus,
  readMatrix,
  readMaxBudget,
  readMaxTime,
  readOnLimit,
  readPassEnv,
  readSpec,
  readStateStore,
  readSubject,
  readWorkflow,
  type Spec,
  type StateStoreInput,
} from './text-inputs.js';

export const applyModes = ['workspace', 'none', 'commit', 'push', 'pull-request'] as const;

export interface Inputs {
  readonly workflow: string;
  /** Absent: neither `spec` nor `spec-file` is set. */
  readonly spec?: Spec;
  readonly vars: Readonly<Record<string, string>>;
  /** Replaces the agent of every step. */
  readonly agent?: string;
  readonly workingDirectory: string;
  readonly resume: 'auto' | 'require' | 'never';
  /** Absent: derived from the job. */
  readonly stateName?: string;
  /** The first seals, each of them opens. Empty: provider credentials seal. */
  readonly stateKeys: readonly string[];
  readonly stateStore: StateStoreInput;
  /** Milliseconds between two checkpoints while agents are at work; 0: none are stored then. */
  readonly checkpointIntervalMs: number;
  readonly fromStep?: string;
  readonly until?: string;
  /** US dollars, over all attempts and re-runs. */
  readonly maxBudget?: number;
  /** Maximum time of the run in this job, in milliseconds. */
  readonly maxTimeMs?: number;
  /** The paused step that may continue. */
  readonly approve?: string;
  /** What the run is about. Absent: derived from the event. */
  readonly subject?: string;
  /** A session of an earlier run with more tokens is not resumed; 0: no limit. */
  readonly maxResumeTokens: number;
  /** A session of an earlier run that ended longer ago, in milliseconds, is not resumed. */
  readonly maxSessionAgeMs: number;
  /** Command that prepares a new worktree. */
  readonly worktreeSetup?: string;
  readonly onLostSession: 'new' | 'fail';
  /** The agent that continues while the service of another one refuses requests. Absent: the run waits. */
  readonly fallback?: string;
  readonly onNoCredentials: 'auto' | 'skip' | 'fail';
  /** Whether a missing CLI is installed into the tool cache or is an error. */
  readonly install: 'auto' | 'never';
  /** Whether installed CLIs are stored in the Actions cache, and restored from it. */
  readonly cacheClis: boolean;
  /** Provider → the exact version of its CLI. */
  readonly cliVersions: Readonly<Record<string, string>>;
  /** Provider → further arguments for its CLI. */
  readonly agentArgs: Readonly<Record<string, readonly string[]>>;
  /** For steps without `permissions`. Absent: the default of their type. */
  readonly permissions?: Permission;
  /** Names and globs. */
  readonly passEnv: readonly string[];
  /** Logins of bots that may start agents, with or without `[bot]`. */
  readonly allowedBots: readonly string[];
  /** Whether agents may run on the files of any commit. */
  readonly allowUntrustedCheckout: boolean;
  /** Whose comments prompts may contain. */
  readonly includeComments: 'writers' | 'all';
  readonly commands: Readonly<Partial<Record<CommandName, string>>>;
  /** What happens to the changes of a run that passed. */
  readonly apply: (typeof applyModes)[number];
  /** Templates. Absent: made from the results of the run. */
  readonly commitMessage?: string;
  readonly prTitle?: string;
  readonly prBody?: string;
  /** When the run is described in a comment on its pull request or issue. */
  readonly comment: 'never' | 'on-failure' | 'always';
  /** Paths of the steps whose result the comment has in full. */
  readonly commentResults: readonly string[];
  /** Path of the `validate` step whose findings are posted as a review. */
  readonly review?: string;
  /** Only check the workflow and show what would run. */
  readonly dryRun: boolean;
  readonly keepSessions: boolean;
  /** Whether the conversations with the agents are written to files. */
  readonly transcripts: boolean;
  readonly githubToken?: string;
  /** The matrix values of this job. Absent: the job has no matrix. */
  readonly matrix?: Readonly<Record<string, unknown>>;
  /** Absent: the runner does not report it. */
  readonly jobStatus?: 'success' | 'failure' | 'cancelled';
}

/** Reads all inputs. Throws `UserErrors` with every error; no message contains a secret. */
export function readInputs(get: GetInput): Inputs {
  const { read, requireValid } = openInputReader(get);
  const choice = <T extends string>(name: string, allowed: readonly [T, ...T[]]): T =>
    read(name, (text) => readChoice(name, text, allowed), allowed[0]);
  const flag = (name: string) => read(name, (text) => readBoolean(name, text), false);
  const optional = (name: string) => get(name).trim() || undefined;

  const inputs: Inputs = {
    workflow: read('workflow', readWorkflow, ''),
    ...defined({ spec: read('spec', (text) => readSpec(text, get('spec-file').trim()), undefined) }),
    vars: read('vars', () => readVars(get('vars')), {}),
    workingDirectory: optional('working-directory') ?? '.',
    resume: choice('resume', ['auto', 'require', 'never']),
    stateKeys: read('state-key', stateKeyLines, []),
    stateStore: read('state-store', readStateStore, { kind: 'auto' }),
    checkpointIntervalMs: read('checkpoint-interval', readCheckpointInterval, 0),
    maxResumeTokens: read('max-resume-tokens', readMaxResumeTokens, 0),
    maxSessionAgeMs: read('max-session-age', readMaxSessionAge, 0),
    onLostSession: choice('on-lost-session', ['new', 'fail']),
    onNoCredentials: choice('on-no-credentials', ['auto', 'skip', 'fail']),
    install: choice('install', ['auto', 'never']),
    cacheClis: read('cache-clis', (text) => text === '' || readBoolean('cache-clis', text), true),
    cliVersions: read('cli-versions', () => readCliVersions(get('cli-versions')), {}),
    agentArgs: read('agent-args', () => readAgentArgs(get('agent-args')), {}),
    passEnv: read('pass-env', readPassEnv, []),
    allowedBots: read('allowed-bots', readAllowedBots, []),
    allowUntrustedCheckout: flag('allow-untrusted-checkout'),
    includeComments: choice('include-comments', ['writers', 'all']),
    commands: read('commands', () => readCommands(get('commands')), {}),
    apply: choice('apply', applyModes),
    comment: choice('comment', ['never', 'on-failure', 'always']),
    commentResults: read('comment-results', readCommentResults, []),
    dryRun: flag('dry-run'),
    keepSessions: flag('keep-sessions'),
    transcripts: flag('transcripts'),
    ...defined({
      agent: optional('agent'),
      stateName: optional('state-name'),
      fromStep: optional('from-step'),
      until: optional('until'),
      approve: optional('approve'),
      commitMessage: optional('commit-message'),
      prTitle: optional('pr-title'),
      prBody: optional('pr-body'),
      review: optional('review'),
      subject: read('subject', readSubject, undefined),
      maxBudget: read('max-budget', readMaxBudget, undefined),
      maxTimeMs: read('max-time', readMaxTime, undefined),
      fallback: read('on-limit', readOnLimit, undefined),
      worktreeSetup: optional('worktree-setup'),
      permissions: withoutAuto(choice('permissions', ['auto', 'full', 'workspace', 'read-only'])),
      githubToken: optional('github-token'),
      matrix: read('matrix', readMatrix, undefined),
      jobStatus: read('job-status', readJobStatus, undefined),
    }),
  };
  requireValid();
  return inputs;
}

function withoutAuto(text: Permission | 'auto'): Permission | undefined {
  return text === 'auto' ? undefined : text;
}
