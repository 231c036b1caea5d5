/** What both phases of the action start with: the job, the inputs, and the log that redacts secrets. */

import { createGetInput } from '../inputs/input-reader.js';
import { type Inputs, readInputs } from '../inputs/inputs.js';
import { type Job, readJob } from '../job.js';
import type { Provider } from '../providers/provider.js';
import { providers } from '../providers/provider-registry.js';
import { helpLink } from '../report/help-link.js';
import { createLog, type Log, standardOutput } from '../report/log.js';
import { sealingCredentials, staticVariables } from '../security/credentials.js';
import { secretsOf } from '../security/job-secrets.js';
import { deriveLineKey } from '../security/line-key.js';
import { createRedactor, type Redactor } from '../security/redact.js';
import type { Environment } from '../system/environment.js';
import { userHome } from '../system/user-home.js';

export interface ActionContext {
  /** The job's environment as the runner set it, always with HOME. Child processes get theirs from it, never from `process.env`. */
  readonly environment: Environment;
  readonly job: Job;
  readonly inputs: Inputs;
  readonly log: Log;
  readonly redact: Redactor;
  readonly providers: readonly Provider[];
}

/** @throws UserError if inputs or job variables are invalid or missing. */
export function createActionContext(
  environment: Environment,
  table: readonly Provider[] = providers,
): ActionContext {
  const get = createGetInput(environment);
  // Read before validation: error messages quote invalid values, and an invalid key is a secret too.
  const stateKeys = get('state-key').split('\n');
  const secrets = secretsOf(environment, table, { stateKeys, githubToken: get('github-token') });
  const redact = createRedactor(secrets);
  const log = createLog({
    ...standardOutput(),
    redact,
    isDebug: environment.RUNNER_DEBUG === '1',
    helpFor: (message) => helpLink(message, environment),
  });
  currentContext = { log, redact };
  const job = readJob(environment);
  // After `readJob`, which throws outside of a runner: only a runner interprets these commands, others print them.
  for (const secret of secrets) log.mask(secret);
  const inputs = readInputs(get);
  return {
    environment: { ...environment, HOME: userHome(environment) },
    job,
    inputs,
    log,
    redact,
    providers: table,
  };
}

/** The log so far. It knows no secrets if the phase failed before it read them. */
export function currentLog(): Pick<ActionContext, 'log' | 'redact'> {
  if (currentContext !== undefined) return currentContext;
  const redact = createRedactor([]);
  return { log: createLog({ ...standardOutput(), redact, isDebug: false }), redact };
}

let currentContext: Pick<ActionContext, 'log' | 'redact'> | undefined;

/** The key that seals what `main` leaves for `post` in the private directory. The same in both phases. */
export function lineKeyOf(
  { environment, inputs, providers }: ActionContext,
  privateDirectory: string,
): Buffer {
  const { stateKeys, githubToken = '' } = inputs;
  const credentials = sealingCredentials(environment, staticVariables(providers)).map(({ value }) => value);
  return deriveLineKey({
    environment,
    privateDirectory,
    otherSecrets: [...stateKeys, githubToken, ...credentials],
  });
}

/** Distinguishes a re-run of this job from another job that shares its state. */
export function jobIdentity({ job, inputs }: ActionContext): string {
  return JSON.stringify([job.workflowRef, job.jobId, job.actionId, inputs.matrix ?? null]);
}
