/**
 * The git settings that the action's own git uses: those of the user's that matter for files and objects, read once
 * before the first agent starts. Everything else has no effect on it, whatever an agent writes to a configuration
 * file later: programs (filters, hooks, watchers), another worktree, conversions, sparse patterns.
 */
import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Git } from './git.js';

export interface GitSetting {
  /** As git prints it: section and name in small letters, the part between them as written. */
  readonly name: string;
  /** `undefined` for a name without `=`, which means `true`. */
  readonly value: string | undefined;
  /** The file that contains it, absolute. */
  readonly file: string;
  /** It belongs to the checkout, and not to the user or the machine. */
  readonly isOfCheckout: boolean;
}

export interface GitSettings {
  readonly all: readonly GitSetting[];
  /** The files that they come from, absolute. */
  readonly files: readonly string[];
}

/** How files and objects are read. Names after `remote.` are in `fetchSettings`. */
const copiedNames: ReadonlySet<string> = new Set([
  'core.repositoryformatversion',
  'core.symlinks',
  'core.ignorecase',
  'core.precomposeunicode',
  'core.protecthfs',
  'core.protectntfs',
  'core.checkstat',
  'core.trustctime',
  'core.bigfilethreshold',
  'extensions.objectformat',
  'extensions.compatobjectformat',
  'extensions.partialclone',
]);

/** A partial clone fetches missing objects, with the user's credentials. No other repository contacts a server. */
const fetchSettings =
  /^(?:remote|url|http|credential|protocol|ssh)\.|^core\.(?:sshcommand|askpass|gitproxy)$/;

/** All settings in effect, from every file, in the order in which they apply. */
export async function readSettings(git: Git, root: string): Promise<GitSettings> {
  const { stdout } = await git.run(['config', '--list', '--show-scope', '--show-origin', '-z']);
  const records = stdout.toString('utf8').split('\0');
  const all: GitSetting[] = [];
  const files = new Set<string>();
  for (let at = 0; at + 2 < records.length; at += 3) {
    const [scope = '', origin = '', entry = ''] = records.slice(at, at + 3);
    // git's own `-c` options are not the user's.
    if (!origin.startsWith('file:')) continue;
    const file = resolve(root, origin.slice('file:'.length));
    files.add(file);
    const [name = '', ...rest] = entry.split('\n');
    const isOfCheckout = scope === 'local' || scope === 'worktree';
    all.push({ name, value: rest.length === 0 ? undefined : rest.join('\n'), file, isOfCheckout });
  }
  return { all, files: [...files] };
}

/**
 * The settings in `.git/config`, `config.worktree` and what they include. actions/checkout v6 and newer keeps the token
 * in a file below RUNNER_TEMP that `.git/config` includes (actions/checkout f548e57, `git-auth-helper.ts`).
 */
export function checkoutSettings(
  { all }: GitSettings,
  root: string,
): readonly { readonly name: string; readonly value: string; readonly file: string }[] {
  return all
    .filter(({ isOfCheckout }) => isOfCheckout)
    .map(({ name, value = '', file }) => ({ name, value, file: shownPath(file, root) }));
}

/** Relative to the root of the worktree if it is in it. */
function shownPath(file: string, root: string): string {
  const inside = relative(root, file);
  return inside.startsWith('..') || isAbsolute(inside) ? file : inside;
}

/** The value that applies. `undefined` if there is none. */
export function settingOf({ all }: GitSettings, name: string): string | undefined {
  const found = all.findLast((setting) => setting.name === name);
  return found === undefined ? undefined : (found.value ?? 'true');
}

/** The same as a path: `~/` is the home directory, and a relative path starts at the root of the worktree. */
export function pathSettingOf(
  settings: GitSettings,
  name: string,
  base: { readonly root: string; readonly home: string },
): string | undefined {
  const value = settingOf(settings, name);
  if (value === undefined) return undefined;
  if (value.startsWith('~/')) return join(base.home, value.slice(2));
  return isAbsolute(value) ? value : join(base.root, value);
}

export function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(?:true|yes|on|[1-9]\d*)$/i.test(value);
}

export function isPartialClone(settings: GitSettings): boolean {
  return settings.all.some(
    ({ name }) => name === 'extensions.partialclone' || /^remote\..*\.promisor$/s.test(name),
  );
}

/** The text of the configuration file for the action's own git. */
export function writeCopy(settings: GitSettings): string {
  const isPartial = isPartialClone(settings);
  const copied = settings.all.filter(
    ({ name }) => copiedNames.has(name) || (isPartial && fetchSettings.test(name)),
  );
  // With `fileMode = false`, a step's change of an executable bit would be lost.
  return ['[core]\n\tbare = false\n\tfilemode = true\n', ...copied.map(toLines)].join('');
}

function toLines({ name, value }: Pick<GitSetting, 'name' | 'value'>): string {
  const first = name.indexOf('.');
  const last = name.lastIndexOf('.');
  const section = name.slice(0, first);
  const middle = first === last ? '' : ` "${name.slice(first + 1, last).replaceAll(/["\\]/g, '\\$&')}"`;
  const key = name.slice(last + 1);
  return `[${section}${middle}]\n\t${key}${value === undefined ? '' : ` = ${quoteValue(value)}`}\n`;
}

function quoteValue(value: string): string {
  return `"${value.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`;
}
