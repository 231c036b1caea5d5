/** Where the state of this job lies, what it is bound to and what seals it. */

import { resolve } from 'node:path';
import type { Binding } from '../checkpoint/binding.js';
import { prepareCacheClient } from '../checkpoint/cache-client.js';
import { createCacheStore } from '../checkpoint/cache-store.js';
import { directoryKey } from '../checkpoint/directory-key.js';
import { createDirectoryStore } from '../checkpoint/directory-store.js';
import { newWriter } from '../checkpoint/key.js';
import { chooseSecrets, type SealSecret } from '../checkpoint/secrets.js';
import { deriveStateName } from '../checkpoint/state-name.js';
import type { CheckpointStore } from '../checkpoint/store.js';
import { defined } from '../optional-keys.js';
import { sealingCredentials } from '../security/credentials.js';
import { trustClass } from '../security/trust.js';
import type { Workspace } from '../workspace/workspace.js';
import { privatePaths } from './handover.js';
import type { Setting } from './setting.js';

export interface StatePlace {
  readonly store: CheckpointStore;
  readonly secrets: readonly SealSecret[];
  /** Why nothing can be stored, as a sentence; absent where it can. */
  readonly obstacle?: string;
}

/** Opens the store. For the cache this moves the process to a private directory (`cache-client.ts`). */
export async function openState(setting: Setting, privateDirectory: string): Promise<StatePlace> {
  const { stateStore } = setting.inputs;
  const secrets = await secretsFor(setting);
  const store =
    stateStore.kind === 'cache'
      ? openCache(setting, privateDirectory)
      : createDirectoryStore(resolve(setting.job.workspace, stateStore.path));
  const obstacle = store.unwritable ?? (secrets.length === 0 ? withoutSecret : undefined);
  return { store, secrets, ...defined({ obstacle }) };
}

/** A state in the work tree, with its key, would get into the patch, the commits and every later checkpoint. */
export async function storeFaults(
  { inputs, job }: Setting,
  workspace: Workspace,
): Promise<readonly string[]> {
  const { stateStore } = inputs;
  if (stateStore.kind === 'cache') return [];
  const directory = resolve(job.workspace, stateStore.path);
  if (!(await workspace.covers(directory))) return [];
  return [
    `Input state-store: ${directory} lies in the work tree, so the state and its key would become a part of what the run changes. ` +
      'Give a path outside of the checkout that the next job finds again, or have git ignore it.',
  ];
}

const withoutSecret =
  'There is nothing to seal the state with: set the input `state-key` to a secret of the repository (`openssl rand -base64 32` makes one).';

function openCache({ environment }: Setting, privateDirectory: string): CheckpointStore {
  const directory = privatePaths(privateDirectory).cache;
  prepareCacheClient(directory, process.env);
  return createCacheStore({ directory, env: environment });
}

async function secretsFor({ inputs, environment, providers, job }: Setting): Promise<readonly SealSecret[]> {
  const { stateStore, stateKeys } = inputs;
  const sources = { stateKeys, credentials: sealingCredentials(environment, providers) };
  const chosen = chooseSecrets(sources);
  if (chosen.length > 0 || stateStore.kind === 'cache') return chosen;
  return chooseSecrets({ ...sources, keyFile: await directoryKey(resolve(job.workspace, stateStore.path)) });
}

/** What every checkpoint of this job is bound to. */
export function bindingOf(setting: Setting): Omit<Binding, 'sequence'> {
  const { job } = setting;
  return {
    repositoryId: job.repositoryId,
    runId: job.runId,
    stateName: stateNameOf(setting),
    jobAttempt: job.jobAttempt,
    writer: newWriter(),
    ref: job.ref,
    trust: trustClass({ ...job, payload: job.payload() }),
  };
}

export function stateNameOf({ inputs, job }: Setting): string {
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
