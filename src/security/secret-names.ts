/**
 * What the name of an environment variable says: whether it matches a glob, whether it names a secret, whether
 * it belongs to the runner alone. Pure; who gets which variable is decided in `environment.ts`.
 */

/**
 * Words in a name that mark its value as a secret. `_PWD`, `_PASS` and `_AUTH` count only at the end, so that
 * `PWD`, `OLDPWD` and `SSH_AUTH_SOCK` (a socket, no secret) stay.
 */
const secretWords =
  /KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|PRIVATE|CONNECTION_?STRING|COOKIE|JWT|WEBHOOK|(?:^|_)(?:PAT|DSN)$|_(?:PWD|PASS|AUTH)$/i;

/** The files by which a step speaks to the runner; whoever has their names can set outputs and `PATH`. */
export const fileCommandVariables = [
  'GITHUB_ENV',
  'GITHUB_PATH',
  'GITHUB_OUTPUT',
  'GITHUB_STATE',
  'GITHUB_STEP_SUMMARY',
] as const;

const runnerPrefixes = ['ACTIONS_', 'INPUT_', 'STATE_'];
const fileCommandNames: ReadonlySet<string> = new Set(fileCommandVariables);

/** Whether the name says that the value is a secret. */
export function isSecretName(name: string): boolean {
  return secretWords.test(name);
}

/** Whether the name says that the value is an address that whoever knows it may write to. */
export function isWebhookName(name: string): boolean {
  return /WEBHOOK/i.test(name);
}

/** Whether the variable is between the runner and the action, and is handed to nobody, whoever asks. */
export function isRunnerVariable(name: string): boolean {
  return fileCommandNames.has(name) || runnerPrefixes.some((prefix) => name.startsWith(prefix));
}

/** A test for names against globs in which `*` stands for any run of characters and `?` for one. */
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

/** Whether a text is a glob rather than the name of one variable. */
export function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}
