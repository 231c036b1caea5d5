/**
 * Passes the variables of `main` on to `post`. The runner gives `post` of an action in nested composite actions the
 * inputs of another action, or none (actions/runner#2030, actions/runner#3514).
 *
 * The variables contain secrets, so they are on disk only encrypted and authenticated, under a key from
 * ACTIONS_RUNTIME_TOKEN: all actions of a job get the same value, and agents and gates never get it. On a runner
 * without this token nothing is written, and `post` uses what the runner gives it.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../system/environment.js';
import { isRunnerVariable } from './secret-names.js';

const fileName = 'environment.sealed';
const cipher = 'aes-256-gcm';
const [saltBytes, nonceBytes, tagBytes] = [32, 12, 16];

const jobStatus = 'INPUT_JOB-STATUS';
/** A runner that reports another status, or none, must not make `post` fail. */
const jobStatuses = new Set(['success', 'failure', 'cancelled']);
/** If these inputs are the same, then the job status comes from the runner for this action too. */
const identity = ['INPUT_WORKFLOW', 'INPUT_MATRIX', 'INPUT_STATE-NAME', 'INPUT_STATE-KEY'];

/** Writes the variables of `main` into its private directory. */
export function saveMainEnvironment(directory: string, environment: Environment): void {
  const salt = randomBytes(saltBytes);
  const key = keyFor(environment, directory, salt);
  if (key === undefined) return;
  const nonce = randomBytes(nonceBytes);
  const encryption = createCipheriv(cipher, key, nonce);
  const kept = Object.entries(environment).filter(([name]) => !isOfOnePhase(name));
  const text = JSON.stringify(Object.fromEntries(kept));
  const sealed = [encryption.update(text, 'utf8'), encryption.final(), encryption.getAuthTag()];
  writeFileSync(join(directory, fileName), Buffer.concat([salt, nonce, ...sealed]), { mode: 0o600 });
}

/**
 * The variables for `post`: those of `main`, and those that the runner makes for each phase. Without the status of
 * the job if the runner gave `post` the inputs of another action.
 */
export function restoreMainEnvironment(directory: string, environment: Environment): Environment {
  const saved = openMainEnvironment(directory, environment);
  if (saved === undefined) return environment;
  const isOwnInput = identity.every((name) => (environment[name] ?? '') === (saved[name] ?? ''));
  const own = Object.entries(environment).filter(([name]) => isOfOnePhase(name));
  const others = Object.entries(environment).filter(([name]) => !isRunnerVariable(name));
  const status = environment[jobStatus] ?? '';
  return {
    ...Object.fromEntries([...others, ...Object.entries(saved), ...own]),
    [jobStatus]: isOwnInput && jobStatuses.has(status) ? status : undefined,
  };
}

/** `undefined` if there are none, or if they were not written by `main` of this action step. */
function openMainEnvironment(directory: string, environment: Environment): Environment | undefined {
  try {
    const sealed = readFileSync(join(directory, fileName));
    const salt = sealed.subarray(0, saltBytes);
    const nonce = sealed.subarray(saltBytes, saltBytes + nonceBytes);
    const key = keyFor(environment, directory, salt);
    if (key === undefined) return undefined;
    const decryption = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes });
    decryption.setAuthTag(sealed.subarray(-tagBytes));
    const text = decryption.update(sealed.subarray(saltBytes + nonceBytes, -tagBytes));
    return JSON.parse(Buffer.concat([text, decryption.final()]).toString('utf8')) as Environment;
  } catch {
    return undefined;
  }
}

/** The directory distinguishes action steps of one job. */
function keyFor(
  { ACTIONS_RUNTIME_TOKEN: token }: Environment,
  directory: string,
  salt: Buffer,
): Buffer | undefined {
  if (!token) return undefined;
  return Buffer.from(hkdfSync('sha256', token, salt, `gump-action environment 1 ${directory}`, 32));
}

/** Whether the runner makes a new value of the variable for each phase: tokens, state and command files. */
function isOfOnePhase(name: string): boolean {
  return name === jobStatus || (isRunnerVariable(name) && !name.startsWith('INPUT_'));
}
