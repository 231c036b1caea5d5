/** Files outside the worktree with settings of the runner user: those of the CLIs, of git, npm and the shells. Pure. */
import { join, resolve } from 'node:path';
import type { Environment } from '../system/environment.js';
import { canonicalJson } from './canonical-json.js';
import type { HomeFile, Provider } from './provider.js';
import { sessionHome } from './session-home.js';

/** Files and folders in the home folder of a CLI that it does not write by itself. */
export const homeFiles = (...paths: readonly string[]): readonly HomeFile[] =>
  paths.map((path) => ({ path }));

/** The same JSON without these keys at its top; text that is no JSON object stays as it is. */
export function withoutKeys(...keys: readonly string[]): (text: string) => string {
  return (text) =>
    canonicalJson(text, (settings) => {
      const rest = Object.entries(settings).filter(([key]) => !keys.includes(key));
      return Object.fromEntries(rest);
    });
}

/** Every agent and gate may start git, npm and a shell, and some CLIs read the files of the shell. */
const commonFiles: readonly HomeFile[] = [
  ...['.gitconfig', '.npmrc', '.bashrc', '.bash_profile', '.profile', '.zshenv', '.zprofile', '.zshrc'],
  // Skills, of several CLIs.
  '.agents',
  // Where Node searches a package that it finds nowhere else. CLIs ask for optional ones (`bufferutil`).
  '.node_modules',
  '.node_libraries',
].map((path) => ({ path, base: 'user' }));

const commonConfigFiles: readonly HomeFile[] = ['git/config', 'git/attributes', 'git/ignore'].map((path) => ({
  path,
  base: 'config',
}));

/** Variables with the path of a settings file. */
const pathVariables = [
  'GIT_CONFIG_GLOBAL',
  'NPM_CONFIG_USERCONFIG',
  'npm_config_userconfig',
  'BASH_ENV',
  'ENV',
];

export interface LocatedFile {
  /** Absolute. */
  readonly path: string;
  relevantPart?(text: string): string;
  readonly isCache?: true;
}

/** `userHome` replaces HOME if HOME is not set. */
export function locateHomeFiles(
  providers: readonly Provider[],
  environment: Environment,
  directory: string,
  userHome: string,
): readonly LocatedFile[] {
  const home = environment.HOME || userHome;
  const config = environment.XDG_CONFIG_HOME || join(home, '.config');
  const locate = (file: HomeFile, cliHome: string): LocatedFile => ({
    ...file,
    path: join({ cli: cliHome, config, user: home }[file.base ?? 'cli'], file.path),
  });
  return [
    ...providers.flatMap(({ homeFiles: files, sessionFiles }) => {
      const cliHome = sessionHome(sessionFiles.home, environment, directory, userHome);
      return files.map((file) => locate(file, cliHome));
    }),
    ...[...commonFiles, ...commonConfigFiles].map((file) => locate(file, home)),
    ...pathVariables.flatMap((name) => {
      const path = environment[name];
      return path ? [{ path: resolve(directory, path) }] : [];
    }),
  ];
}
