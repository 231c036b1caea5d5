/**
 * Which values of a job are secrets: what the runner is asked to mask and `redact.ts` takes out. Pure.
 *
 * A value that is surely a credential (a provider's static key, the state keys, the token of the job) counts
 * whatever it looks like. A value whose variable merely sounds like a secret counts unless it is a path or a
 * plain address: pieces of `/home/runner/.config` would otherwise vanish from every log line. An address of a
 * webhook is a secret, but for its beginning up to the host.
 */

import type { Environment } from '../system/environment.js';
import type { ProviderVariables } from './filter-environment.js';
import { minRedactedLength } from './redact.js';
import { isSecretName, isWebhookName } from './secret-names.js';

/** Inputs whose values are secrets. */
export interface SecretInputs {
  readonly stateKeys: readonly string[];
  readonly githubToken?: string;
}

/** The runner's own tokens and the usual ones of GitHub. */
const tokenVariables = [
  'ACTIONS_RUNTIME_TOKEN',
  'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
  'GITHUB_TOKEN',
  'GH_TOKEN',
];

/** Each secret once; one of several lines as a whole and by the line. None is shorter than 16 characters. */
export function secretsOf(
  environment: Environment,
  providers: readonly ProviderVariables[],
  inputs: SecretInputs,
): readonly string[] {
  const sure = [
    ...inputs.stateKeys,
    inputs.githubToken,
    ...tokenVariables.map((name) => environment[name]),
    ...staticVariables(providers).map((name) => environment[name]),
  ];
  const found = new Set<string>();
  for (const value of sure) addSecret(value, found);
  for (const value of [...secretsByName(environment, providers), ...passwordsInAddresses(environment)]) {
    if (!isPath(value) && !isPlainAddress(value)) addSecret(value, found);
  }
  for (const value of webhooks(environment)) addSecret(value, found);
  return [...found];
}

/** Whether a value reads like a place in a file system. Base64 rarely does: it has no `.`, and often `+` or `=`. */
export function isPath(value: string): boolean {
  return /^(?:~|\.{1,2})\/|^\/[^/\n:+=]+\/[^\n:+=]*$/.test(value.trim());
}

/** Whether a value is one address without a user name or password in it. */
function isPlainAddress(value: string): boolean {
  const text = value.trim();
  if (!/^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(text)) return false;
  return !/^[^/]+:\/\/[^/?#]*@/.test(text);
}

function staticVariables(providers: readonly ProviderVariables[]): readonly string[] {
  return providers
    .flatMap(({ environment }) => environment.credentials)
    .filter((credential) => credential.isStatic)
    .map((credential) => credential.variable);
}

function secretsByName(environment: Environment, providers: readonly ProviderVariables[]): readonly string[] {
  const credentials = new Set(
    providers.flatMap((provider) =>
      provider.environment.credentials.map((credential) => credential.variable),
    ),
  );
  return Object.entries(environment)
    .filter(([name]) => credentials.has(name) || isSecretName(name))
    .flatMap(([, value]) => (value === undefined ? [] : [value]));
}

/** The passwords in values like `postgres://user:password@host/db`, whatever the variable is called. */
function passwordsInAddresses(environment: Environment): readonly string[] {
  return Object.values(environment).flatMap((value) => {
    const password = value && /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*?:([^/?#\s]+)@/i.exec(value.trim())?.[1];
    return password ? [password, decoded(password)] : [];
  });
}

/** What follows the host: `https://hooks.slack.com` is in other addresses too. */
function webhooks(environment: Environment): readonly string[] {
  return Object.entries(environment).flatMap(([name, value]) => {
    if (!isWebhookName(name) || value === undefined || !isPlainAddress(value)) return [];
    return [value.trim().replace(/^[^/]+:\/\/[^/?#]*/, '')];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function addSecret(value: string | undefined, found: Set<string>): void {
  if (value === undefined) return;
  for (const part of [value, ...value.split(/\r?\n/)]) {
    const text = part.trim();
    if (text.length >= minRedactedLength) found.add(text);
  }
}

/** Below this a secret could be guessed from a copy of the sealed file: HKDF is fast by design. */

export const minSecretLength = 20;
