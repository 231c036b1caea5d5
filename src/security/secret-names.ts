/**
 * Checks on the name of an environment variable: whether it matches a glob, looks like a secret, or is only for
 * the runner. Pure. `filter-environment.ts` decides who gets which variable.
 */

/**
 * Words in the name of a secret. `_PWD`, `_PASS` and `_AUTH` count only at the end, so that `PWD`, `OLDPWD` and
 * `SSH_AUTH_SOCK` (the path of a socket) do not count.
 */
const secretWords =
  /KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|PRIVATE|CONNECTION_?STRING|COOKIE|JWT|WEBHOOK|(?:^|_)(?:PAT|DSN)$|_(?:PWD|PASS|AUTH)$/i;

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

/** Whether the name looks like that of a secret. */
export function isSecretName(name: string): boolean {
  return secretWords.test(name);
}

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
