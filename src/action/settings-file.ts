/** Finds and reads the project's `gump.toml`. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { readAgentName } from '../providers/agent-name.js';
import type { Provider } from '../providers/provider.js';
import type { Log } from '../report/log.js';
import { agentHint } from '../workflow/agent-hints.js';
import { noSettings, readSettings, type Settings } from '../workflow/settings.js';

export interface SettingsRequest {
  /** The working directory. */
  readonly directory: string;
  /** The checkout: annotations name files from here. */
  readonly workspace: string;
  readonly providers: readonly Provider[];
  readonly log: Log;
}

export interface FoundSettings {
  readonly settings: Settings;
  /** The errors, each with file and line. The log has them already. */
  readonly problems: readonly string[];
}

const fileName = 'gump.toml';

/** The settings of the nearest `gump.toml`, or empty settings if there is none. Reports warnings and errors. */
export function findSettings({ directory, workspace, providers, log }: SettingsRequest): FoundSettings {
  const path = ancestors(directory)
    .map((folder) => join(folder, fileName))
    .find(isFile);
  if (path === undefined) return { settings: noSettings, problems: [] };
  const file = relative(workspace, path);
  const agentProblem = (agent: string) => {
    const name = readAgentName(agent, providers);
    return name.status === 'unknown'
      ? `names no agent: ${name.message}.${agentHint(agent, providers)}`
      : undefined;
  };
  const { settings, problems } = readSettings(readFileSync(path, 'utf8'), { agentProblem });
  for (const { severity, message, line } of problems)
    log[severity](`${file}:${line}: ${message}`, { file, line, title: `gump: ${fileName}` });
  const errors = problems.filter(({ severity }) => severity === 'error');
  return { settings, problems: errors.map(({ message, line }) => `${file}:${line}: ${message}`) };
}

/** From the directory up to the top of the repository. Only the directory itself if there is no repository. */
function ancestors(directory: string): readonly string[] {
  const all = [directory];
  for (let folder = directory; !existsSync(join(folder, '.git')); ) {
    const above = dirname(folder);
    if (above === folder) return [directory];
    folder = above;
    all.push(folder);
  }
  return all;
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}
