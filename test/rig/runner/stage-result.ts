/** What a stage reported to the runner, read from its log and files. */
import { readFile } from 'node:fs/promises';
import type { Report } from '../report.js';
import type { FileCommandResults } from './file-commands.js';
import { type LogCommand, maskLog, readCommands } from './log-commands.js';
import type { StageExit } from './stage.js';

/** The result of main or post. */
export interface StageResult extends StageExit, FileCommandResults {
  readonly commands: readonly LogCommand[];
  /** Texts of these commands, in order; of errors without the address of their documentation. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly notices: readonly string[];
  /** The log in which every value that the stage masked is hidden. */
  readonly masked: string;
  /** The content of the file in the output `report`. */
  readonly report?: Report;
}

export async function readStageResult(exit: StageExit, results: FileCommandResults): Promise<StageResult> {
  const commands = readCommands(exit.log);
  const texts = (name: string) => commands.filter((command) => command.name === name).map(({ text }) => text);
  const report = await readReport(results.outputs.report);
  return {
    ...exit,
    ...results,
    commands,
    errors: texts('error').map((text) => text.replace(/\nHelp: \S+/, '')),
    warnings: texts('warning'),
    notices: texts('notice'),
    masked: maskLog(exit.log, commands),
    ...(report ? { report } : {}),
  };
}

async function readReport(path: string | undefined): Promise<Report | undefined> {
  if (!path) return undefined;
  return JSON.parse(await readFile(path, 'utf8')) as Report;
}
