/** Where the state of this job is stored, what it is bound to, and what seals it. */

import { resolve } from 'node:path';
import type { Binding } from '../checkpoint/binding.js';
import { newWriter } from '../checkpoint/checkpoint-key.js';
import { readOrCreateDirectoryKey } from '../checkpoint/directory-key.js';
import { readEarly } from '../checkpoint/early-reads.js';
import { chooseSecrets, type SealSecret } from '../checkpoint/seal-secrets.js';
import { deriveStateName, formerStateName, type StateNameSource } from '../checkpoint/state-name.js';
import type { CliCacheOptions } from '../cli-cache/cli-cache.js';
import { defined } from '../optional-keys.js';
import { sealingCredentials, staticVariables } from '../security/credentials.js';
import { trustClass } from '../security/trust.js';
import { systemClock } from '../system/clock.js';
import type { Workspace } from '../workspace/workspace.js';
import type { ActionContext } from './action-context.js';
import { eventOf } from './event-checks.js';
import { type OpenedStores, openStores } from './state-stores.js';

export interface StateStorage extends OpenedStores {
  readonly secrets: readonly SealSecret[];
  /** Why nothing can be stored, as a sentence. Absent if it can. */
  readonly unavailableReason?: string;
}

/**
 * Opens the store. `sealingVariables`: the credentials of the providers that the plan uses (`requirements.ts`). Except for a
 * directory, this changes the working directory of the process (`cache-client.ts`). `isInArtifacts`: `main` has changed to artifacts.
 */
export async function openStateStorage(
  actionContext: ActionContext,
  privateDirectory: string,
  sealingVariables: readonly string[],
  isInArtifacts = false,
): Promise<StateStorage> {
  const secrets = await secretsFor(actionContext, sealingVariables);
  const opened = openStores(actionContext, privateDirectory, isInArtifacts);
  const unavailableReason =
    opened.store.unwritableReason ?? (secrets.length === 0 ? missingSecretReason : undefined);
  return { ...opened, secrets, ...defined({ unavailableReason }) };
}

/**
 * Opens the store before it is known whether the run may start, and begins to read its newest checkpoint if the input
 * `resume` allows that. Not for a directory, because opening it creates a key in a directory that is not checked yet, and
 * the answers of the services take long. `undefined` if there is nothing to read, or if the store cannot be opened.
 */
export async function openStateStorageEarly(
  actionContext: ActionContext,
  privateDirectory: string,
  sealingVariables: readonly string[],
): Promise<StateStorage | undefined> {
  const { inputs } = actionContext;
  if (inputs.stateStore.kind === 'directory') return undefined;
  // The caller opens it again, and reports the reason if that fails, too.
  const opened = await openStateStorage(actionContext, privateDirectory, sealingVariables).catch(
    () => undefined,
  );
  if (opened === undefined || opened.secrets.length === 0 || inputs.resume === 'never') return opened;
  if (opened.store.unreadableReason !== undefined) return opened;
  const { writer: _writer, jobAttempt, ...expected } = bindingOf(actionContext);
  const isShared = inputs.stateName !== undefined;
  const { store, secrets } = opened;
  return { ...opened, store: readEarly({ store, secrets, expected, jobAttempt, isShared }) };
}

/**
 * Where installed CLIs are stored, and what seals them. `undefined` if the Actions cache cannot be read
 * or there is no secret: then npm installs them as ever.
 */
export function cliCacheOf(
  { inputs, job }: ActionContext,
  { cliStore, secrets }: StateStorage,
): CliCacheOptions | undefined {
  if (!inputs.cacheClis || cliStore === undefined || secrets.length === 0) return undefined;
  if (cliStore.unreadableReason !== undefined) return undefined;
  return { store: cliStore, secrets, repositoryId: job.repositoryId, clock: systemClock };
}

/** A state directory in the worktree would become part of patches, commits and later checkpoints. */
export async function findStateStoreProblems(
  { inputs, job }: ActionContext,
  workspace: Workspace,
): Promise<readonly string[]> {
  const { stateStore } = inputs;
  if (stateStore.kind !== 'directory') return [];
  const directory = resolve(job.workspace, stateStore.path);
  if (!(await workspace.isRecordedDirectory(directory))) return [];
  return [
    `Input \`state-store\`: ${directory} is in the worktree, so the state and its key would become part of the run's changes. ` +
      'Use a path outside of the checkout that the next job can find, or let git ignore it.',
  ];
}

const missingSecretReason =
  'There is no secret to seal the state with: no provider of this workflow has a static API key of at least 20 characters that is no placeholder. Set the input `state-key` to a secret of the repository (create one with `openssl rand -base64 32`).';

async function secretsFor(
  { inputs, environment, providers, job }: ActionContext,
  sealingVariables: readonly string[],
): Promise<readonly SealSecret[]> {
  const { stateStore, stateKeys } = inputs;
  // `post` reads the names from a file that an agent can change.
  const known = new Set(staticVariables(providers));
  const variables = sealingVariables.filter((name) => known.has(name));
  const sources = { stateKeys, credentials: sealingCredentials(environment, variables) };
  const chosen = chooseSecrets(sources);
  if (chosen.length > 0 || stateStore.kind !== 'directory') return chosen;
  return chooseSecrets({
    ...sources,
    keyFile: await readOrCreateDirectoryKey(resolve(job.workspace, stateStore.path)),
  });
}

/** The values that every checkpoint of this job is bound to. */
export function bindingOf(actionContext: ActionContext): Omit<Binding, 'sequence'> {
  const { job } = actionContext;
  return {
    repositoryId: job.repositoryId,
    runId: job.runId,
    stateName: stateNameOf(actionContext),
    jobAttempt: job.jobAttempt,
    writer: newWriter(),
    ref: job.ref,
    trust: trustClass(eventOf(actionContext)),
  };
}

export function stateNameOf(actionContext: StateNameInputs): string {
  return actionContext.inputs.stateName ?? deriveStateName(stateNameSource(actionContext));
}

/** Where version 0.1.0 stored the state of this job, if that is another name. */
export function formerStateNameOf(actionContext: StateNameInputs): string | undefined {
  const isDerived = actionContext.inputs.stateName === undefined;
  return isDerived ? formerStateName(stateNameSource(actionContext)) : undefined;
}

type StateNameInputs = Pick<ActionContext, 'inputs' | 'job'>;

function stateNameSource({ inputs, job }: StateNameInputs): StateNameSource {
  const { workflowRef, jobId, actionId } = job;
  const { spec, vars, workingDirectory } = inputs;
  return {
    workflowRef,
    jobId,
    actionId,
    workflowFile: inputs.workflow,
    matrix: inputs.matrix,
    call: defined({
      workingDirectory: workingDirectory === '.' ? undefined : workingDirectory,
      spec: spec?.from === 'file' ? spec.file : spec?.text,
      vars: Object.keys(vars).length === 0 ? undefined : vars,
    }),
  };
}
