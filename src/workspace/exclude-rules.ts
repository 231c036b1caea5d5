/**
 * Files that are never recorded: `.gump/out`, and credential files that other actions write into the checkout. A
 * private exclude file keeps git from reading them. A `.gitignore` with an exception (`!*.json`) takes precedence
 * over that file, so the same rule is also applied to the paths that git lists.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BytePath, bytesOf } from './byte-path.js';
import type { Repository } from './repository.js';
import { type GitSettings, pathSettingOf } from './settings-copy.js';

/** google-github-actions/auth (v2, v3) leaves `gha-creds-<hex>.json` in the workspace. */
const credentialName = /^gha-creds-.*\.json$/s;

/** Whether no snapshot may contain this path. `prefix` is the working directory relative to the root. */
export function isExcluded(path: BytePath, prefix: BytePath): boolean {
  const output = `${prefix}.gump/out`;
  if (path === output || path.startsWith(`${output}/`)) return true;
  return path.split('/').some((name) => credentialName.test(name));
}

/** Writes the exclude file: the content of the user's global one, then our rules. */
export function writeExcludes(
  settings: GitSettings,
  repository: Repository,
  env: Readonly<Record<string, string>>,
  file: string,
): void {
  const userExcludes = readUserExcludes(settings, repository.root, env);
  const output = `/${escapePattern(repository.prefix)}.gump/out\n`;
  writeFileSync(
    file,
    Buffer.concat([userExcludes, Buffer.from('\n'), bytesOf(output), Buffer.from('gha-creds-*.json\n')]),
  );
}

/** Without a setting, git reads the documented default path: gitignore(5). */
function readUserExcludes(
  settings: GitSettings,
  root: string,
  env: Readonly<Record<string, string>>,
): Buffer {
  const { HOME = '/', XDG_CONFIG_HOME } = env;
  const defaultFile = join(XDG_CONFIG_HOME || join(HOME, '.config'), 'git', 'ignore');
  const file = pathSettingOf(settings, 'core.excludesfile', { root, home: HOME }) ?? defaultFile;
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
}

function escapePattern(path: BytePath): string {
  return path.replaceAll(/[\\*?[\]]/g, '\\$&');
}
