/** Which settings outside the worktree are watched, in this environment. */
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { locateHomeFiles } from '../providers/home-files.js';
import type { Provider } from '../providers/provider.js';
import { createSettingsWatch, type WatchedFile } from '../security/settings-watch.js';
import type { Watch } from '../security/watch.js';
import type { Environment } from '../system/environment.js';
import { userHome } from '../system/user-home.js';

export interface OutsideSettingsOptions {
  readonly providers: readonly Provider[];
  readonly environment: Environment;
  /** Top of the repository. */
  readonly root: string;
  /** The working directory. */
  readonly directory: string;
  /** The parent directory of worktrees and of directories without a repository. */
  readonly agentRoot: string;
}

/** Notes the files now. */
export function watchOutsideSettings(options: OutsideSettingsOptions): Watch {
  const { providers, environment, root, directory, agentRoot } = options;
  const homeDirectory = userHome(environment);
  // A variable may name a file of the worktree, such as BASH_ENV. That is part of the result of a step.
  const home = locateHomeFiles(providers, environment, directory, homeDirectory).filter(
    ({ path }) => !isBelow(path, root) || isBelow(homeDirectory, root),
  );
  const above = [...new Set(providers.flatMap(({ projectFiles }) => projectFiles.above))];
  const folders = new Set([...parentsOf(root), agentRoot, join(agentRoot, 'bare'), ...parentsOf(agentRoot)]);
  const files = new Map<string, WatchedFile>();
  for (const folder of folders)
    for (const path of above) files.set(join(folder, path), { path: join(folder, path) });
  // A home file may be above the repository as well; then its own rule applies.
  for (const file of home) {
    files.set(file.path, file);
    const target = targetOf(file.path);
    if (target !== undefined && !isBelow(target, root)) files.set(target, { ...file, path: target });
  }
  return createSettingsWatch([...files.values()], homeDirectory);
}

function isBelow(path: string, folder: string): boolean {
  return `${path}/`.startsWith(`${folder}/`);
}

function parentsOf(directory: string): readonly string[] {
  const parent = dirname(directory);
  return parent === directory ? [] : [parent, ...parentsOf(parent)];
}

/** Some users keep these files elsewhere, behind a link. */
function targetOf(path: string): string | undefined {
  try {
    const target = realpathSync(path);
    return target === path ? undefined : target;
  } catch {
    return undefined;
  }
}
