/** Chooses the secrets that seal and open a checkpoint (docs/checkpoint.md). Pure. No message contains a secret. */
import { UserError } from '../failure.js';
import { minSecretLength } from '../security/job-secrets.js';

export interface SealSecret {
  readonly kind: 'state-key' | 'credential' | 'key-file';
  /** The variable of a credential. A fixed word for the other kinds. */
  readonly name: string;
  readonly value: string;
}

export interface SecretSources {
  /** From `stateKeyLines`. */
  readonly stateKeys: readonly string[];
  /** Static credentials of the providers from the environment. */
  readonly credentials: readonly { readonly variable: string; readonly value: string }[];
  /** From `readOrCreateDirectoryKey`. Only for a state in a directory. */
  readonly keyFile?: string;
}

/**
 * The secrets of a job, both to seal and to open. Empty if nothing may be stored. With a `state-key`, no other secret
 * is used, so that a provider's credential alone can neither open nor create a checkpoint.
 */
export function chooseSecrets(sources: SecretSources): readonly SealSecret[] {
  if (sources.stateKeys.length > 0) {
    return sources.stateKeys.map((value) => ({ kind: 'state-key', name: 'state-key', value }));
  }
  const credentials = sources.credentials
    .filter(({ value }) => value.length >= minSecretLength)
    .map(({ variable, value }): SealSecret => ({ kind: 'credential', name: variable, value }));
  if (sources.keyFile === undefined) return credentials;
  return [...credentials, { kind: 'key-file', name: 'key-file', value: sources.keyFile }];
}

/**
 * The keys in the input `state-key`, one per line, without blank lines and duplicates. Throws `UserError` if a key is
 * too short. The error contains the line number but not the text.
 */
export function stateKeyLines(input: string): readonly string[] {
  const lines = input.split(/\r?\n/).map((line) => line.trim());
  const short = lines.findIndex((line) => line !== '' && line.length < minSecretLength);
  if (short >= 0) {
    throw new UserError(
      `Input \`state-key\`: line ${short + 1} has fewer than ${minSecretLength} characters. ` +
        'Create a key with `openssl rand -base64 32` and store it as a secret of the repository.',
    );
  }
  return [...new Set(lines.filter((line) => line !== ''))];
}
