/**
 * Conversations that lie in a database of the CLI: they go in and out by its own commands, which the provider
 * only describes. Each copy is one export and stands for one point of the conversation; its mark is its whole
 * length and hash.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionMark } from '../journal/event.js';
import type { Provider, SessionCommand, SessionCommands } from '../providers/provider.js';
import { isSecretName } from '../security/secret-names.js';
import type { Environment } from '../system/environment.js';
import type { ProcessExit, ProcessRunner } from '../system/process.js';
import { stripAnsi } from '../system/strip-ansi.js';
import type { SessionExportResult, SessionFile, SessionImportResult } from './session-store.js';

/** Which conversation is meant, and where its agent runs. */
export interface CommandSessionLocation {
  readonly provider: Pick<Provider, 'title' | 'isSessionId' | 'environment'> & {
    readonly sessionCommands: SessionCommands;
  };
  readonly id: string;
  readonly directory: string;
  readonly environment: Environment;
}

export interface CommandSessions {
  /** Makes the CLI know an empty session by this id; false: it would not, and has to give an id of its own. */
  create(place: CommandSessionLocation): Promise<boolean>;
  export(place: CommandSessionLocation): Promise<SessionExportResult>;
  /** Puts the session back to where it was at `mark`, else to where the last of the copies has it. */
  import(
    place: CommandSessionLocation,
    copies: readonly SessionFile[],
    mark: SessionMark | undefined,
  ): Promise<SessionImportResult>;
  /** Takes the session out of the CLI's database; one that is not there is no error. */
  remove(place: CommandSessionLocation): Promise<void>;
}

export interface CommandSessionsOptions {
  readonly processes: ProcessRunner;
  /** A private directory for the files that commands read. */
  readonly directory: string;
}

/** A database that is locked must not hold a job up for ever. */
const timeoutMs = 60_000;

/** The name that every copy has on the shelf, after its number. */
const copyName = 'export.json';

interface CommandOutput {
  readonly exit: ProcessExit;
  readonly output: string;
}

type RunSessionCommand = (place: CommandSessionLocation, command: SessionCommand) => Promise<CommandOutput>;

export function createCommandSessions({ processes, directory }: CommandSessionsOptions): CommandSessions {
  const run: RunSessionCommand = (place, command) => runCommand(processes, place, command);
  const importText = async (place: CommandSessionLocation, text: string | Buffer): Promise<CommandOutput> => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const folder = await mkdtemp(join(directory, 'import-'));
    try {
      const file = join(folder, copyName);
      await writeFile(file, text, { mode: 0o600 });
      return await run(place, place.provider.sessionCommands.import(file));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  return {
    async create(place) {
      const empty = place.provider.sessionCommands.emptyExport(place.id, place.directory);
      return isDone((await importText(place, empty)).exit);
    },
    export: (place) => exportSession(place, run),
    async import(place, copies, mark) {
      const copy = chooseCopy(place, copies, mark);
      if ('status' in copy) return copy;
      // What is there already would stay as it is: an import adds what is missing and no more.
      await run(place, place.provider.sessionCommands.remove(place.id));
      const { exit } = await importText(place, copy.content);
      return isDone(exit) ? { status: 'there' } : { status: 'refused', reason: failureReason(place, exit) };
    },
    async remove(place) {
      if (place.provider.isSessionId(place.id))
        await run(place, place.provider.sessionCommands.remove(place.id));
    },
  };
}

async function exportSession(
  place: CommandSessionLocation,
  run: RunSessionCommand,
): Promise<SessionExportResult> {
  const { provider, id } = place;
  if (!provider.isSessionId(id)) return { status: 'skipped', reason: invalidIdReason(place) };
  const { exit, output } = await run(place, provider.sessionCommands.export(id));
  if (!isDone(exit)) return { status: 'skipped', reason: failureReason(place, exit) };
  if (!provider.sessionCommands.isExport(output, id))
    return { status: 'skipped', reason: `what ${provider.title} exported is not the session ${id}` };
  const content = Buffer.from(output);
  return { status: 'kept', files: [{ path: copyName, content }], mark: markOf(content) };
}

/** What will be imported: all that can be refused is refused before anything is taken out. */
function chooseCopy(
  place: CommandSessionLocation,
  copies: readonly SessionFile[],
  mark: SessionMark | undefined,
): SessionFile | SessionImportResult {
  const { provider, id } = place;
  const refused = (reason: string): SessionImportResult => ({ status: 'refused', reason });
  if (!provider.isSessionId(id)) return refused(invalidIdReason(place));
  const newest = [...copies].sort((one, other) => (one.path < other.path ? -1 : 1)).at(-1);
  if (newest === undefined) return refused(`no export of the ${provider.title} session ${id} was kept`);
  const copy = mark === undefined ? newest : copies.find(({ content }) => isAt(content, mark));
  if (copy === undefined) {
    const reason = `no export of the ${provider.title} session ${id} as it was after that step was kept`;
    return { status: 'session-ahead', reason };
  }
  return provider.sessionCommands.isExport(copy.content.toString('utf8'), id)
    ? copy
    : refused(`what was kept is no export of the ${provider.title} session ${id}`);
}

async function runCommand(
  processes: ProcessRunner,
  place: CommandSessionLocation,
  { file, args, env }: SessionCommand,
): Promise<CommandOutput> {
  const lines: string[] = [];
  const exit = await processes.run({
    file,
    args,
    directory: place.directory,
    env: { ...withoutCredentials(place), ...env },
    onLine: (line, stream) => {
      if (stream === 'stdout') lines.push(line);
    },
    timeoutMs,
  });
  return { exit, output: `${lines.join('\n')}\n` };
}

/** No model is asked, so no key is needed: neither a credential by name nor anything that looks like one. */
function withoutCredentials({
  provider,
  environment,
}: CommandSessionLocation): Readonly<Record<string, string>> {
  const names = new Set(provider.environment.credentials.map(({ variable }) => variable));
  const rest = Object.entries(environment).filter(([name]) => !names.has(name) && !isSecret(name));
  return Object.fromEntries(rest.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

function isSecret(name: string): boolean {
  return isSecretName(name) || name.endsWith('_AUTH_CONTENT');
}

function isDone(exit: ProcessExit): boolean {
  return exit.reason === 'exited' && exit.code === 0;
}

function failureReason({ provider, id }: CommandSessionLocation, exit: ProcessExit): string {
  const ends: Readonly<Record<ProcessExit['reason'], string>> = {
    exited: exit.code === undefined ? 'was killed' : `ended with exit code ${exit.code}`,
    timeout: 'did not end in time',
    cancelled: 'was stopped',
    'not-found': 'was not found',
  };
  const lastErrorLine = stripAnsi(exit.stderrTail).trim().split('\n').at(-1)?.slice(0, 500) ?? '';
  const end = `the command of ${provider.title} for the session ${id} ${ends[exit.reason]}`;
  return lastErrorLine === '' ? end : `${end}: ${lastErrorLine}`;
}

function invalidIdReason({ provider, id }: CommandSessionLocation): string {
  return `${JSON.stringify(id)} is not a session id of ${provider.title}`;
}

function markOf(content: Buffer): SessionMark {
  return { length: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

function isAt(content: Buffer, mark: SessionMark): boolean {
  return content.length === mark.length && markOf(content).sha256 === mark.sha256;
}
