/**
 * The environment of npm. A download gets the environment of a gate, including `pass-env`, and the variables that
 * a private registry may need. Install scripts get only the environment of a gate. Pure.
 */
import type { Environment } from '../system/environment.js';

/** Settings of npm, which may contain tokens, and the two variables from which `.npmrc` files read tokens. */
const registryVariable = /^(?:npm_config_.*|NODE_AUTH_TOKEN|NPM_TOKEN)$/i;

/** `gateEnvironment`: the environment of a gate of this job. */
export function npmEnvironment(
  job: Environment,
  gateEnvironment: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const registry = Object.entries(job).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && registryVariable.test(entry[0]),
  );
  return { ...gateEnvironment, ...Object.fromEntries(registry) };
}
