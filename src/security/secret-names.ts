/**
 * Checks on an environment variable: whether its name matches a glob, whether it looks like a secret, or is only for
 * the runner. Pure. `filter-environment.ts` decides who gets which variable.
 */
import { isHarmlessValue, isPlaceholder, secretsIn } from './secret-values.js';

/** Words in the name of a secret. */
const secretWords =
  /KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|PRIVATE|CONNECTION_?STRING|COOKIE|JWT|WEBHOOK/i;

/** The command files of the runner. A process that knows their paths can set outputs and `PATH`. */
export const fileCommandVariables = [
  'GITHUB_ENV',
  'GITHUB_PATH',
  'GITHUB_OUTPUT',
  'GITHUB_STATE',
  'GITHUB_STEP_SUMMARY',
  'GITHUB_ARTIFACTS',
  'GITHUB_ARTIFACTS_LIST',
] as const;

export type FileCommandVariable = (typeof fileCommandVariables)[number];

/**
 * Whether the file begins empty and holds only what the step writes. The runner itself fills `GITHUB_ARTIFACTS_LIST`
 * before the step (actions/runner, `ArtifactsListFileCommand`, 2026).
 */
export function isWrittenByActions(name: FileCommandVariable): boolean {
  return name !== 'GITHUB_ARTIFACTS_LIST';
}

const runnerPrefixes = ['ACTIONS_', 'INPUT_', 'STATE_'];
const fileCommandNames: ReadonlySet<string> = new Set(fileCommandVariables);

/**
 * Names that are used for secrets, but also for the path of a file with secrets, for switches and for addresses: the
 * value decides. The words count only between `_`, and may have a number.
 */
const ambiguousWords: readonly RegExp[] = [
  /(?:^|_)(?:PAT|DSN|CREDS?|BEARER|AUTHORIZATION|NETRC|PGPASS|SSHPASS|SA_JSON|KUBE_?CONFIG)\d*(?:_|$)/i,
  /(?:^|_)(?:PASS|AUTH|SAS)(?:_?\d+)?$|_PWD(?:_?\d+)?$/i,
  /(?:^|_)AUTH_(?:HEADERS?|CONFIG|CONTENT|DATA|JSON|STRING|VALUE|INFO|BASE64|B64)(?:_|$)/i,
  /(?:^|_)(?:CUSTOM|EXTRA|OTLP|REQUEST)_HEADERS?$/i,
];

/**
 * Variables of the runner whose values others choose, such as the name of a branch. They are never secret, and a
 * stranger must not be able to hide texts of the log by them.
 */
const foreignNames =
  /^GITHUB_(?:(?:HEAD|BASE)_REF|REF|REF_NAME|ACTOR|TRIGGERING_ACTOR|WORKFLOW|WORKFLOW_REF|JOB|ACTION|REPOSITORY|REPOSITORY_OWNER)$/;

/** Whether the name looks like that of a secret, whatever the value is. */
export function isSecretName(name: string): boolean {
  return secretWords.test(name) && !isGitConfigVariable(name);
}

/** Whether a variable looks like a secret by its name or by its value. */
export function isSecretVariable(name: string, value: string): boolean {
  if (isPlaceholder(value) || foreignNames.test(name)) return false;
  if (isSecretName(name) || secretsIn(value).length > 0) return true;
  return isAmbiguousName(name) && !isHarmlessValue(value);
}

/** Whether the name alone does not decide: `isHarmlessValue` of the value does. */
export function isAmbiguousName(name: string): boolean {
  return ambiguousWords.some((words) => words.test(name));
}

/**
 * Whether the variable is a part of the settings that git reads from the environment (git 2.31). git fails if one of
 * them is missing, so they are withheld or passed together. `gitConfigFamily` names all of them.
 */
export function isGitConfigVariable(name: string): boolean {
  return /^GIT_CONFIG_(?:COUNT|PARAMETERS|(?:KEY|VALUE)_\d+)$/.test(name);
}

export const gitConfigFamily = 'GIT_CONFIG_COUNT';

/** Whether the name looks like that of a webhook URL. Everyone who knows such a URL can post to it. */
export function isWebhookName(name: string): boolean {
  return /WEBHOOK/i.test(name);
}

/** Whether the variable is only for the runner and the action. No agent or gate ever gets it. */
export function isRunnerVariable(name: string): boolean {
  return fileCommandNames.has(name) || runnerPrefixes.some((prefix) => name.startsWith(prefix));
}

/** Tests names against globs: `*` matches any number of characters, `?` exactly one. */
export function nameMatcher(globs: readonly string[]): (name: string) => boolean {
  if (globs.length === 0) return () => false;
  const alternatives = globs.map((glob) =>
    glob.replace(/[\\^$.*+?()[\]{}|]/g, (character) => {
      if (character === '*') return '.*';
      return character === '?' ? '.' : `\\${character}`;
    }),
  );
  const pattern = new RegExp(`^(?:${alternatives.join('|')})$`);
  return (name) => pattern.test(name);
}

/** Whether a text is a glob and not the name of one variable. */
export function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}
