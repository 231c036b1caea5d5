/** The secrets that open what an earlier run of the subject has sealed. */
import { chooseSecrets, type SealSecret } from '../checkpoint/seal-secrets.js';
import { sealingCredentials, staticVariables } from '../security/credentials.js';
import type { ActionContext } from './action-context.js';
import type { StateStorage } from './state-storage.js';

/**
 * In addition to those that seal: every static credential of the job, because the workflow of the earlier run may have
 * used another agent.
 */
export function openingSecrets(
  { environment, inputs, providers }: Pick<ActionContext, 'environment' | 'inputs' | 'providers'>,
  { secrets }: Pick<StateStorage, 'secrets'>,
): readonly SealSecret[] {
  if (inputs.stateKeys.length > 0) return secrets;
  const credentials = sealingCredentials(environment, staticVariables(providers));
  const known = new Set(secrets.map(({ kind, name }) => `${kind}/${name}`));
  const more = chooseSecrets({ stateKeys: [], credentials });
  return [...secrets, ...more.filter(({ kind, name }) => !known.has(`${kind}/${name}`))];
}
