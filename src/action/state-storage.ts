/** Where the state of this job lies, what it is bound to and what seals it. */

import { resolve } from 'node:path';
import type { Binding } from '../checkpoint/binding.js';
import { prepareCacheClient } from '../checkpoint/cache-client.js';
import { createCacheStore } from '../checkpoint/cache-store.js';
import { newWriter } from '../checkpoint/checkpoint-key.js';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.js';
import { readOrCreateDirectoryKey } from '../checkpoint/directory-key.js';
import { createDirectoryStore } from '../checkpoint/directory-store.js';
import { chooseSecrets, type SealSecret } from '../checkpoint/seal-secrets.js';
import { deriveStateName } from '../checkpoint/state-name.js';
import { defined } from '../optional-keys.js';
import { sealingCredentials } from '../security/credentials.js';
import { trustClass } from '../security/trust.js';
import type { Workspace } from '../workspace/workspace.js';
import type { ActionContext } from './action-context.js';
import { privatePaths } from './post-state.js';

export interface StateStorage {
  readonly store: CheckpointStore;
  readonly secrets: readonly SealSecret[];
  /** Why nothing can be stored, as a sentence; absent where it can. */
  readonly unavailableReason?: string;
}

/** Opens the store. For the cache this moves the process to a private directory (`cache-client.ts`). */
export async function openStateStorage(
  actionContext: ActionContext,
  privateDirectory: string,
): Promise<StateStorage> {
  const { stateStore } = actionContext.inputs;
  const secrets = await secretsFor(actionContext);
  const store =
    stateStore.kind === 'cache'
      ? openCache(actionContext, privateDirectory)
      : createDirectoryStore(resolve(actionContext.job.workspace, stateStore.path));
  const unavailableReason =
    store.unwritableReason ?? (secrets.length === 0 ? missingSecretReason : undefined);
  return { store, secrets, ...defined({ unavailableReason }) };
}

/** A state in the work tree, with its key, would get into the patch, the commits and every later checkpoint. */
export async function findStateStoreProblems(
  { inputs, job }: ActionContext,
  workspace: Workspace,
): Promise<readonly string[]> {
  const { stateStore } = inputs;
  if (stateStore.kind === 'cache') return [];
  const directory = resolve(job.workspace, stateStore.path);
  if (!(await workspace.isRecordedDirectory(directory))) return [];
  return [
    `Input state-store: ${directory} lies in the work tree, so the state and its key would become a part of what the run changes. ` +
      'Give a path outside of the checkout that the next job finds again, or have git ignore it.',
  ];
}

const missingSecretReason =
  'There is nothing to seal the state with: set the input `state-key` to a secret of the repository (`openssl rand -base64 32` makes one).';

function openCache({ environment }: ActionContext, privateDirectory: string): CheckpointStore {
  const directory = privatePaths(privateDirectory).cache;
  prepareCacheClient(directory, process.env);
  return createCacheStore({ directory, env: environment });
}

async function secretsFor({
  inputs,
  environment,
  providers,
  job,
}: ActionContext): Promise<readonly SealSecret[]> {
  const { stateStore, stateKeys } = inputs;
  const sources = { stateKeys, credentials: sealingCredentials(environment, providers) };
  const chosen = chooseSecrets(sources);
  if (chosen.length > 0 || stateStore.kind === 'cache') return chosen;
  return chooseSecrets({
    ...sources,
    keyFile: await readOrCreateDirectoryKey(resolve(job.workspace, stateStore.path)),
  });
}

/** What every checkpoint of this job is bound to. */
export function bindingOf(actionContext: ActionContext): Omit<Binding, 'sequence'> {
  const { job } = actionContext;
  return {
    repositoryId: job.repositoryId,
    runId: job.runId,
    stateName: stateNameOf(actionContext),
    jobAttempt: job.jobAttempt,
    writer: newWriter(),
    ref: job.ref,
    trust: trustClass({ ...job, payload: job.payload() }),
  };
}

export function stateNameOf({ inputs, job }: ActionContext): string {
  if (inputs.stateName !== undefined) return inputs.stateName;
  const { workflowRef, jobId, actionId } = job;
  return deriveStateName({
    workflowRef,
    jobId,
    actionId,
    workflowFile: inputs.workflow,
    matrix: inputs.matrix,
  });
}
