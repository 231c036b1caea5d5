/**
 * Which values of a job are secrets. The runner masks them, and `redact.ts` removes them from texts. Pure.
 *
 * A known credential (a provider's static key, a state key, the token of the job) always counts. A value whose
 * variable name looks like a secret counts unless it is a path or a plain URL. Otherwise pieces of
 * `/home/runner/.config` would disappear from every log line. The URL of a webhook is a secret after its host.
 */

import type { Environment } from '../system/environment.js';
import type { ProviderVariables } from './filter-environment.js';
import { minRedactedLength } from './redact.js';
import { isSecretName, isWebhookName } from './secret-names.js';

/** The inputs with secret values. */
export interface SecretInputs {
  readonly stateKeys: readonly string[];
  readonly githubToken?: string;
}

/** Tokens of the runner, and the usual variables for GitHub tokens. */
const tokenVariables = [
  'ACTIONS_RUNTIME_TOKEN',
  'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
  'GITHUB_TOKEN',
  'GH_TOKEN',
];

/** Each secret once. A secret with several lines is listed as a whole and line by line. None is shorter than 16 characters. */
export function secretsOf(
  environment: Environment,
  providers: readonly ProviderVariables[],
  inputs: SecretInputs,
): readonly string[] {
  const knownCredentials = [
    ...inputs.stateKeys,
    inputs.githubToken,
    ...tokenVariables.map((name) => environment[name]),
    ...staticVariables(providers).map((name) => environment[name]),
  ];
  const found = new Set<string>();
  for (const value of knownCredentials) addSecret(value, found);
  for (const value of [...secretsByName(environment, providers), ...passwordsInUrls(environment)]) {
    if (!isPath(value) && !isPlainUrl(value)) addSecret(value, found);
  }
  for (const value of webhooks(environment)) addSecret(value, found);
  return [...found];
}

/** Whether a value looks like a file path. Base64 rarely does, because it has no `.` and often `+` or `=`. */
export function isPath(value: string): boolean {
  return /^(?:~|\.{1,2})\/|^\/[^/\n:+=]+\/[^\n:+=]*$/.test(value.trim());
}

/** Whether a value is one URL without a user name or password. */
function isPlainUrl(value: string): boolean {
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

/** The passwords in values like `postgres://user:password@host/db`, whatever the name of the variable. */
function passwordsInUrls(environment: Environment): readonly string[] {
  return Object.values(environment).flatMap((value) => {
    const password = value && /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*?:([^/?#\s]+)@/i.exec(value.trim())?.[1];
    return password ? [password, decoded(password)] : [];
  });
}

/** The part after the host, because `https://hooks.slack.com` is also in URLs that are not secret. */
function webhooks(environment: Environment): readonly string[] {
  return Object.entries(environment).flatMap(([name, value]) => {
    if (!isWebhookName(name) || value === undefined || !isPlainUrl(value)) return [];
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

/** A shorter secret could be guessed from a copy of the sealed file, because HKDF is fast by design. */
export const minSecretLength = 20;
