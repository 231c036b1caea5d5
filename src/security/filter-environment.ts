/**
 * Which of the job's environment variables an agent or a gate gets (contract 8). Pure. In this order:
 *
 * 1. What is between the runner and the action (`ACTIONS_*`, `INPUT_*`, `STATE_*`, file commands): never.
 * 2. What `pass-env` names in full: yes.
 * 3. `GITHUB_TOKEN` and `GH_TOKEN`: no. A glob of `pass-env` does not reach them: `*_TOKEN`, meant for some
 *    registry, must not give an agent the right to push.
 * 4. The variables of the agent's own provider, and of its gateways whose switch is on: yes.
 * 5. Credentials of the other providers: no, and no glob reaches them, for the same reason.
 * 6. What a glob of `pass-env` matches: yes.
 * 7. The other providers' variables, and every name that says secret: no.
 * 8. All the rest: yes.
 *
 * A gateway's variables are withheld only where their name says secret: `AWS_REGION` is no secret, and a
 * gate may need it.
 */
import type { Provider, ProviderEnvironment } from '../providers/provider.js';
import type { Environment } from '../system/environment.js';
import { isGlob, isRunnerVariable, isSecretName, nameMatcher } from './secret-names.js';

/** The part of a provider that speaks of variables. */
export type ProviderVariables = Pick<Provider, 'environment'>;

export interface EnvironmentFilterOptions {
  /** The job's environment. */
  readonly environment: Environment;
  /** Whose agent it is; absent for a gate. */
  readonly provider?: ProviderVariables;
  /** All providers known, the agent's own among them. */
  readonly providers: readonly ProviderVariables[];
  /** Names and globs of the input `pass-env`. */
  readonly passEnv: readonly string[];
}

export interface FilteredEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** Names that are set in the job and were not handed on, sorted. */
  readonly withheld: readonly string[];
}

const githubTokens: ReadonlySet<string> = new Set(['GITHUB_TOKEN', 'GH_TOKEN']);

/** The environment of an agent, or of a gate where no provider is given. */
export function filterEnvironment(request: EnvironmentFilterOptions): FilteredEnvironment {
  const isAllowed = createVariableFilter(request);
  const env: Record<string, string> = {};
  const withheld: string[] = [];
  for (const [name, value] of Object.entries(request.environment)) {
    if (value === undefined) continue;
    if (isAllowed(name)) env[name] = value;
    else withheld.push(name);
  }
  return { env, withheld: withheld.sort() };
}

/** Whether a gateway's switch is set: to anything but nothing, `0` and `false`. */
export function isSwitchedOn(value: string | undefined): boolean {
  return value !== undefined && !/^\s*(?:0|false)?\s*$/i.test(value);
}

function createVariableFilter(request: EnvironmentFilterOptions): (name: string) => boolean {
  const rows = request.providers.map((provider) => provider.environment);
  const namedVariables = new Set(request.passEnv.filter((entry) => !isGlob(entry)));
  const matchesGlob = nameMatcher(request.passEnv.filter(isGlob));
  const isOwn = nameMatcher(
    request.provider ? ownNames(request.provider.environment, request.environment) : [],
  );
  const isCredential = nameMatcher(
    rows.flatMap((row) => row.credentials.map((credential) => credential.variable)),
  );
  const isProviders = nameMatcher(rows.flatMap((row) => row.variables));

  return (name) => {
    if (isRunnerVariable(name)) return false;
    if (namedVariables.has(name)) return true;
    if (githubTokens.has(name)) return false;
    if (isOwn(name)) return true;
    if (isCredential(name)) return false;
    if (matchesGlob(name)) return true;
    return !isProviders(name) && !isSecretName(name);
  };
}

function ownNames(row: ProviderEnvironment, environment: Environment): readonly string[] {
  const gateways = row.gateways.filter((gateway) => isSwitchedOn(environment[gateway.when]));
  return [...row.variables, ...gateways.flatMap((gateway) => [gateway.when, ...gateway.variables])];
}
