/**
 * Whether an agent will find a credential, and which credentials may seal a checkpoint. Pure: the caller passes
 * a function that reads login files. A credential that is found may still be invalid.
 */
import { join } from 'node:path';
import type { Failure } from '../failure.js';
import type { Provider, ProviderEnvironment } from '../providers/provider.js';
import { sessionHome } from '../providers/session-home.js';
import type { Environment } from '../system/environment.js';
import { userHome } from '../system/user-home.js';
import { isSwitchedOn, type ProviderVariables } from './filter-environment.js';
import { minSecretLength } from './job-secrets.js';
import { isPlaceholder } from './placeholder.js';
import { isPath } from './secret-values.js';

export interface CredentialFacts {
  readonly environment: Environment;
  /** The working directory of the agent. */
  readonly directory: string;
  /** Whether `path` is a file, and contains `text` if one is given. */
  fileContains(path: string, text: string | undefined): boolean;
}

/** Where a credential was found: the name of the variable or of the switch, or the path of the login file. */
export interface FoundCredential {
  readonly source: 'variable' | 'gateway' | 'login';
  readonly name: string;
}

/** A secret that can seal a checkpoint, and its environment variable. */
export interface SealingCredential {
  readonly variable: string;
  readonly value: string;
}

/** The first credential for the provider; `undefined` if its agents would find none. */
export function findCredential(
  provider: Pick<Provider, 'environment' | 'sessionFiles'>,
  facts: CredentialFacts,
): FoundCredential | undefined {
  const { credentials, gateways, logins } = provider.environment;
  const variable = credentials.find((credential) => facts.environment[credential.variable]?.trim());
  if (variable) return { source: 'variable', name: variable.variable };
  const gateway = gateways.find((one) => isSwitchedOn(facts.environment[one.when]));
  if (gateway) return { source: 'gateway', name: gateway.when };
  const home = sessionHome(
    provider.sessionFiles.home,
    facts.environment,
    facts.directory,
    userHome(facts.environment),
  );
  const paths = logins.map((login) => ({ path: join(home, login.file), text: login.contains }));
  const login = paths.find(({ path, text }) => facts.fileContains(path, text));
  return login && { source: 'login', name: login.path };
}

export interface CredentialHintFacts {
  readonly environment: Environment;
  /** The variables whose values seal the state, if nothing else does. */
  readonly sealedBy: readonly string[];
}

/** Adds to an `auth` failure which variable to check or set. Returns other failures unchanged. */
export function withCredentialHint(
  failure: Failure,
  { credentials }: ProviderEnvironment,
  { environment, sealedBy }: CredentialHintFacts,
): Failure {
  if (failure.kind !== 'auth' || credentials.length === 0) return failure;
  const variables = credentials.map(({ variable }) => variable);
  const set = variables.filter((variable) => environment[variable]?.trim());
  const hint =
    set.length > 0
      ? `The service rejected the API key: invalid, not permitted, or out of credit. Check ${listed(set, 'and')}.${sealHint(set, sealedBy)}`
      : `Set ${listed(variables, 'or')} in \`env:\` of the action step.`;
  return { ...failure, message: `${failure.message.replace(/([^.!?])$/, '$1.')} ${hint}` };
}

/** Only if no key stays that opens the state after the rejected ones were replaced. */
function sealHint(rejected: readonly string[], sealedBy: readonly string[]): string {
  const lost = rejected.filter((variable) => sealedBy.includes(variable));
  if (lost.length === 0 || lost.length < sealedBy.length) return '';
  return (
    ` The value of ${listed(lost, 'and')} also seals the state, so a different key cannot open it. ` +
    'If you replace the key, set `state-key` to the former value, and a re-run continues.'
  );
}

function listed(names: readonly string[], word: 'and' | 'or'): string {
  const quoted = names.map((name) => `\`${name}\``);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} ${word} ${quoted.at(-1)}`;
}

/** The names of the static credentials of these providers. */
export function staticVariables(providers: readonly ProviderVariables[]): readonly string[] {
  return providers.flatMap(({ environment }) =>
    environment.credentials.filter((one) => one.isStatic).map((one) => one.variable),
  );
}

/**
 * The credentials in `variables` that may seal a checkpoint: at least 20 characters and no placeholder, each variable
 * once, sorted by name (docs/checkpoint.md). The path of a credential file does not count, because it is not secret and
 * differs by machine.
 */
export function sealingCredentials(
  environment: Environment,
  variables: readonly string[],
): readonly SealingCredential[] {
  return [...new Set(variables)].sort().flatMap((variable) => {
    const value = environment[variable]?.trim() ?? '';
    const isWeak = value.length < minSecretLength || isPath(value) || isPlaceholder(value);
    return isWeak ? [] : [{ variable, value }];
  });
}
