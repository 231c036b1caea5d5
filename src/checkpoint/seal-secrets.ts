/** Which secrets seal and open a checkpoint (contract 7). Pure; no secret ever stands in a message. */
import { UserError } from '../failure.js';
import { minSecretLength } from '../security/job-secrets.js';

export interface SealSecret {
  readonly kind: 'state-key' | 'credential' | 'key-file';
  /** The variable of a credential; for the other kinds a fixed word. */
  readonly name: string;
  readonly value: string;
}

export interface SecretSources {
  /** From `stateKeyLines`. */
  readonly stateKeys: readonly string[];
  /** Static credentials of the providers, as they stand in the environment. */
  readonly credentials: readonly { readonly variable: string; readonly value: string }[];
  /** From `directoryKey`; only for a state in a directory. */
  readonly keyFile?: string;
}

/**
 * The secrets of a job, for sealing and opening alike; empty: nothing may be stored. A `state-key` stands
 * alone: whoever has only a provider's credential can then neither open a checkpoint nor make one.
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
 * The keys in the input `state-key`, one a line, without blank lines and repetitions. Throws `UserError`,
 * which names the line but not its text, when one is too short.
 */
export function stateKeyLines(input: string): readonly string[] {
  const lines = input.split(/\r?\n/).map((line) => line.trim());
  const short = lines.findIndex((line) => line !== '' && line.length < minSecretLength);
  if (short >= 0) {
    throw new UserError(
      `Input state-key: line ${short + 1} has fewer than ${minSecretLength} characters. ` +
        'Make a key with `openssl rand -base64 32` and store it as a secret of the repository.',
    );
  }
  return [...new Set(lines.filter((line) => line !== ''))];
}
