/**
 * The key with which `main` seals the lines that it leaves for `post` (`line-seal.ts` of the journal). It is in no
 * file and in no environment: both processes derive it from the token that the runner gives to all actions of one
 * job (ACTIONS_RUNTIME_TOKEN; actions/runner 01166f6, NodeScriptActionHandler.cs reads it from the one service
 * connection of the job, so main and post get the same). Agents and gates never get this token. A provider's key
 * would not do, because the agents of that provider have it; nor would a key in GITHUB_STATE, which is a file.
 */
import { hkdfSync, scryptSync } from 'node:crypto';
import type { Environment } from '../system/environment.js';

export interface LineKeyOptions {
  /** The job's environment as the runner set it. */
  readonly environment: Environment;
  /** Names the process that writes: lines of another action step of the job do not fit. */
  readonly privateDirectory: string;
  /** Secrets of the job, for a runner without the token (a local run). */
  readonly otherSecrets: readonly string[];
}

const keyBytes = 32;

export function deriveLineKey({ environment, privateDirectory, otherSecrets }: LineKeyOptions): Buffer {
  const {
    ACTIONS_RUNTIME_TOKEN: token,
    GITHUB_REPOSITORY_ID,
    GITHUB_RUN_ID,
    GITHUB_RUN_ATTEMPT,
  } = environment;
  const context = JSON.stringify([
    'gump-action lines 1',
    privateDirectory,
    GITHUB_REPOSITORY_ID,
    GITHUB_RUN_ID,
    GITHUB_RUN_ATTEMPT,
  ]);
  if (token) return Buffer.from(hkdfSync('sha256', token, '', context, keyBytes));
  // A person may have chosen one of these, so guesses must be slow: the codes in the file would confirm them.
  return scryptSync(JSON.stringify(otherSecrets), context, keyBytes);
}
