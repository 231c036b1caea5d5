/** The command files of a step (GITHUB_OUTPUT and others): new ones for each stage, read afterwards. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const fileStems = {
  GITHUB_ENV: 'set_env_',
  GITHUB_PATH: 'add_path_',
  GITHUB_OUTPUT: 'set_output_',
  GITHUB_STATE: 'save_state_',
  GITHUB_STEP_SUMMARY: 'step_summary_',
} as const;

export type FileCommands = Readonly<Record<keyof typeof fileStems, string>>;

export interface FileCommandResults {
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly path: readonly string[];
  readonly summary: string;
}

export async function makeFileCommands(temp: string): Promise<FileCommands> {
  const directory = join(temp, '_runner_file_commands');
  await mkdir(directory, { recursive: true });
  const guid = randomUUID();
  const files = Object.entries(fileStems).map(
    ([name, stem]) => [name, join(directory, stem + guid)] as const,
  );
  for (const [, file] of files) await writeFile(file, '');
  return Object.fromEntries(files) as FileCommands;
}

/** Also read if the stage was interrupted: what it wrote before counts. */
export async function readFileCommands(files: FileCommands): Promise<FileCommandResults> {
  const read = async (name: keyof FileCommands) => readFile(files[name], 'utf8').catch(() => '');
  return {
    outputs: parsePairs(await read('GITHUB_OUTPUT')),
    state: parsePairs(await read('GITHUB_STATE')),
    environment: parsePairs(await read('GITHUB_ENV')),
    path: (await read('GITHUB_PATH')).split('\n').filter((line) => line !== ''),
    summary: await read('GITHUB_STEP_SUMMARY'),
  };
}

/** `name=value` or `name<<DELIMITER`, lines, `DELIMITER`. Throws on anything else, as the runner fails the step. */
export function parsePairs(text: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  const lines = text.split(/\r?\n/);
  while (lines.length > 0) {
    const line = lines.shift() ?? '';
    if (line === '') continue;
    const [name, value] = parsePair(line, lines);
    pairs[name] = value;
  }
  return pairs;
}

function parsePair(line: string, rest: string[]): readonly [string, string] {
  const [, name, delimiter] = line.match(/^([^=]+?)<<(.+)$/) ?? [];
  if (name !== undefined && delimiter !== undefined) {
    const end = rest.indexOf(delimiter);
    if (end < 0) throw new Error(`the value of ${name} has no end: line ${delimiter} is missing`);
    const value = rest.splice(0, end + 1).slice(0, -1);
    return [name, value.join('\n')];
  }
  const equals = line.indexOf('=');
  if (equals < 1) throw new Error(`not a name=value line of a file command: ${line}`);
  return [line.slice(0, equals), line.slice(equals + 1)];
}
