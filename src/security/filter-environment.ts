/**
 * Which environment variables of the job an agent or a gate gets (docs/security.md). Pure. The first rule that
 * applies decides:
 *
 * 1. Variables for the runner and the action only (`ACTIONS_*`, `INPUT_*`, `STATE_*`, command files): no.
 * 2. Full names in `pass-env`: yes.
 * 3. `GITHUB_TOKEN` and `GH_TOKEN`: no. A glob in `pass-env` does not include them, because `*_TOKEN` for a
 *    registry must not give an agent the right to push.
 * 4. Variables of the agent's own provider, and of its enabled gateways: yes.
 * 5. Variables and credentials of other providers: no. A glob does not include them, for the same reason.
 * 6. Names that match a glob in `pass-env`: yes.
 * 7. Names or values that look like secrets, and the git settings in `GIT_CONFIG_COUNT` and its companions: no.
 * 8. Everything else: yes.
 *
 * Variables of a gateway are withheld only if their names look like secrets. For example, `AWS_REGION` is not
 * secret, and a gate may need it.
 */
import type { Provider, ProviderEnvironment } from '../providers/provider.js';
import type { Environment } from '../system/environment.js';
import {
  gitConfigFamily,
  isGitConfigVariable,
  isGlob,
  isRunnerVariable,
  isSecretVariable,
  nameMatcher,
} from './secret-names.js';

/** The part of a provider that describes its environment variables. */
export type ProviderVariables = Pick<Provider, 'environment'>;

export interface EnvironmentFilterOptions {
  /** The job's environment. */
  readonly environment: Environment;
  /** The provider of the agent; absent for a gate. */
  readonly provider?: ProviderVariables;
  /** All known providers, including that of the agent. */
  readonly providers: readonly ProviderVariables[];
  /** Names and globs from the input `pass-env`. */
  readonly passEnv: readonly string[];
}

export interface FilteredEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** Names that are set in the job but withheld, sorted. */
  readonly withheld: readonly string[];
}

const githubTokens: ReadonlySet<string> = new Set(['GITHUB_TOKEN', 'GH_TOKEN']);

/** The environment of an agent, or of a gate if no provider is given. */
export function filterEnvironment(request: EnvironmentFilterOptions): FilteredEnvironment {
  const isAllowed = createVariableFilter(request);
  const env: Record<string, string> = {};
  const withheld: string[] = [];
  for (const [name, value] of Object.entries(request.environment)) {
    if (value === undefined) continue;
    if (isAllowed(name, value)) env[name] = value;
    else withheld.push(name);
  }
  return { env, withheld: withheld.sort() };
}

/** Whether the variable that enables a gateway is set to anything but an empty text, `0` or `false`. */
export function isSwitchedOn(value: string | undefined): boolean {
  return value !== undefined && !/^\s*(?:0|false)?\s*$/i.test(value);
}

function createVariableFilter(request: EnvironmentFilterOptions): (name: string, value: string) => boolean {
  const rows = request.providers.map((provider) => provider.environment);
  const namedVariables = new Set(request.passEnv.filter((entry) => !isGlob(entry)));
  const matchesGlob = nameMatcher(request.passEnv.filter(isGlob));
  const isOwn = nameMatcher(
    request.provider ? ownNames(request.provider.environment, request.environment) : [],
  );
  const isProviders = nameMatcher(
    rows.flatMap((row) => [...row.variables, ...row.credentials.map(({ variable }) => variable)]),
  );
  const isPassed = (name: string) => namedVariables.has(name) || matchesGlob(name);

  return (name, value) => {
    if (isRunnerVariable(name)) return false;
    if (isGitConfigVariable(name)) return isPassed(gitConfigFamily);
    if (namedVariables.has(name)) return true;
    if (githubTokens.has(name)) return false;
    if (isOwn(name)) return true;
    if (isProviders(name)) return false;
    return matchesGlob(name) || !isSecretVariable(name, value);
  };
}

function ownNames(row: ProviderEnvironment, environment: Environment): readonly string[] {
  const gateways = row.gateways.filter((gateway) => isSwitchedOn(environment[gateway.when]));
  return [...row.variables, ...gateways.flatMap((gateway) => [gateway.when, ...gateway.variables])];
}
