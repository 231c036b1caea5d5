/**
 * What npm gets to see. It downloads as the gates of the job would, with what `pass-env` adds, and with what
 * a private registry may ask for; install scripts get no more than a gate. Pure.
 */
import type { Environment } from '../system/environment.js';

/** Settings of npm, which may hold tokens, and the two variables that `.npmrc` files take tokens from. */
const registryVariable = /^(?:npm_config_.*|NODE_AUTH_TOKEN|NPM_TOKEN)$/i;

/** `handed`: what a gate of this job gets. */
export function npmEnvironment(
  job: Environment,
  gateEnvironment: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const registry = Object.entries(job).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && registryVariable.test(entry[0]),
  );
  return { ...gateEnvironment, ...Object.fromEntries(registry) };
}
