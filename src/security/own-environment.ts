/**
 * What the action keeps in its own `process.env`: only what libraries in this process read there. Everything else is
 * in `ActionContext.environment`. A library that starts a program without an environment passes on the enumerable
 * variables of `process.env` (Node, `child_process.spawn`), as `@actions/cache` does for `tar`. So those that no
 * program needs are not enumerable.
 *
 * This file imports only types from this project, so that it can run before everything else.
 */
import type { Environment } from '../system/environment.js';

/** For the programs of the cache client: paths of programs and libraries, and the language. */
const passedOn =
  /^(?:PATH|HOME|LANG|LC_.*|TZ|TMPDIR|LD_LIBRARY_PATH|LD_PRELOAD|DYLD_.*_PATH|NSS_WRAPPER_.*|RUNNER_TRACKING_ID)$/;

/**
 * For the libraries: `@actions/cache` 6.3.0 and its HTTP clients (service, token, transfer settings, proxies),
 * `@actions/artifact` 6.2.1 (the same service, and the retention of the repository),
 * `@actions/core` 3.0.1 (command files, debug log), `@actions/github` 9.1.1 (API), and Node (certificates, colors).
 */
const forLibraries = new RegExp(
  `^(?:${[
    ...['ACTIONS_RUNTIME_TOKEN', 'ACTIONS_RUNTIME_URL', 'ACTIONS_RESULTS_URL', 'ACTIONS_CACHE_.*'],
    ...['ACTIONS_ARTIFACT_.*', 'GITHUB_RETENTION_DAYS'],
    ...['ACTIONS_ORCHESTRATION_ID', 'CACHE_UPLOAD_.*', 'SEGMENT_DOWNLOAD_TIMEOUT_MINS'],
    ...['GITHUB_SERVER_URL', 'GITHUB_API_URL', 'GITHUB_WORKSPACE', 'GITHUB_REF', 'GITHUB_REPOSITORY'],
    ...['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY', 'RUNNER_TEMP', 'RUNNER_DEBUG'],
    ...['NODE_.*(?<!TOKEN)', 'SSL_CERT_.*', 'OPENSSL_CONF', 'NO_COLOR', 'FORCE_COLOR'],
    ...['https?_proxy', 'HTTPS?_PROXY', 'no_proxy', 'NO_PROXY', 'all_proxy', 'ALL_PROXY'],
  ].join('|')})$`,
);

/** The variables for `process.env`, as an object that takes its place. */
export function ownEnvironment(environment: Environment): Record<string, string | undefined> {
  const own: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(environment)) {
    const enumerable = passedOn.test(name);
    if (enumerable || forLibraries.test(name))
      Object.defineProperty(own, name, { value, enumerable, writable: true, configurable: true });
  }
  return own;
}
