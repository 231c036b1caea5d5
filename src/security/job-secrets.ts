/**
 * Which values of a job are secrets. The runner masks them, and `redact.ts` removes them from texts. Pure.
 *
 * A known credential (a provider's static key, a state key, the token of the job) always counts. A value whose
 * variable name looks like a secret counts unless it is a path or a plain URL. Otherwise pieces of
 * `/home/runner/.config` would disappear from every log line. The URL of a webhook is a secret after its host. Parts of
 * other values count if they look like a secret themselves.
 */

import type { Environment } from '../system/environment.js';
import type { ProviderVariables } from './filter-environment.js';
import { minRedactedLength } from './redact.js';
import { isAmbiguousName, isSecretName, isSecretVariable, isWebhookName } from './secret-names.js';
import { isPath, isPlainUrl, secretsIn } from './secret-values.js';

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
  for (const value of secretsInVariables(environment, providers)) addSecret(value, found);
  for (const value of webhooks(environment)) addSecret(value, found);
  return [...found];
}

function staticVariables(providers: readonly ProviderVariables[]): readonly string[] {
  return providers
    .flatMap(({ environment }) => environment.credentials)
    .filter((credential) => credential.isStatic)
    .map((credential) => credential.variable);
}

/**
 * The whole value if the name says that it is a secret, otherwise only its secret parts: the address in
 * `postgres://user:password@host/db` is in many log lines.
 */
function secretsInVariables(
  environment: Environment,
  providers: readonly ProviderVariables[],
): readonly string[] {
  const credentials = new Set(
    providers.flatMap((provider) =>
      provider.environment.credentials.map((credential) => credential.variable),
    ),
  );
  return Object.entries(environment).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (!credentials.has(name) && !isSecretVariable(name, value)) return [];
    const isNamed = credentials.has(name) || isSecretName(name) || isAmbiguousName(name);
    const isWhole = isNamed && !isPath(value) && !isPlainUrl(value);
    return [...(isWhole ? [value] : []), ...secretsIn(value)];
  });
}

/** The part after the host, because `https://hooks.slack.com` is also in URLs that are not secret. */
function webhooks(environment: Environment): readonly string[] {
  return Object.entries(environment).flatMap(([name, value]) => {
    if (!isWebhookName(name) || value === undefined || !isPlainUrl(value)) return [];
    return [value.trim().replace(/^[^/]+:\/\/[^/?#]*/, '')];
  });
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
