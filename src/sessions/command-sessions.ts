/**
 * Sessions in the database of a CLI. The CLI exports and imports them with its own commands, which the provider
 * describes. Each copy is one export and holds one point of the session. Its mark is its whole length and hash.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionMark } from '../journal/event.js';
import { defined } from '../optional-keys.js';
import type { SessionCommand, SessionCommands } from '../providers/provider.js';
import { isSecretVariable } from '../security/secret-names.js';
import { hashOf } from '../system/hash-of.js';
import type { ProcessExit, ProcessRunner } from '../system/process.js';
import { stripAnsi } from '../system/strip-ansi.js';
import { openPlacedSessions } from './placed-sessions.js';
import type { SessionFile } from './session-mark.js';
import {
  invalidIdReason,
  type PlacedSession,
  type SessionExportResult,
  type SessionImportResult,
  type SessionLocation,
  type SessionStore,
  sessionRefOf,
  tooLargeReason,
} from './session-store.js';

export interface CommandSessionsOptions {
  readonly processes: ProcessRunner;
  /** A private directory for the files that the commands read. */
  readonly directory: string;
  /** The largest export that is stored. The default is that of session files. */
  readonly maxBytes?: number;
}

const defaultMaxBytes = 200_000_000;

/** A locked database must not block a job forever. */
const timeoutMs = 60_000;

/** The name of every copy in the store of copies, after its number. */
const copyName = 'export.json';

interface CommandOutput {
  readonly exit: ProcessExit;
  /** Empty if it is larger than the limit. */
  readonly output: string;
  /** The length of the whole output. */
  readonly bytes: number;
}

type RunSessionCommand = (
  location: SessionLocation,
  command: SessionCommand,
  signal?: AbortSignal,
) => Promise<CommandOutput>;

/** Starts with the sessions that an earlier process of the same job has placed. */
export function createCommandSessions(
  { processes, directory, maxBytes = defaultMaxBytes }: CommandSessionsOptions,
  alreadyPlaced: readonly PlacedSession[] = [],
): SessionStore {
  const placed = openPlacedSessions(alreadyPlaced);
  const run: RunSessionCommand = (location, command, signal) =>
    runCommand(processes, location, command, { maxBytes, ...defined({ signal }) });
  return {
    async create(location) {
      placed.add(sessionRefOf(location));
      const empty = commandsOf(location).emptyExport(location.id, location.directory);
      return hasSucceeded((await importText(directory, run, location, empty)).exit);
    },
    export(location) {
      placed.add(sessionRefOf(location));
      return exportSession(location, run, maxBytes);
    },
    exportRunning(location, signal) {
      placed.add(sessionRefOf(location));
      return exportSession(location, (where, command) => run(where, command, signal), maxBytes);
    },
    // Each export is complete in itself.
    hasOnlyGrown: async () => true,
    readUsage: async () => ({}),
    async import(location, copies, mark) {
      placed.add(sessionRefOf(location));
      const copy = chooseCopy(location, copies, mark);
      if ('status' in copy) return copy;
      // An import only adds what is missing, so an existing session would stay as it is.
      await run(location, commandsOf(location).remove(location.id));
      const { exit } = await importText(directory, run, location, copy.content);
      return hasSucceeded(exit)
        ? { status: 'imported' }
        : { status: 'refused', reason: failureReason(location, exit) };
    },
    async remove(location) {
      placed.remove(sessionRefOf(location));
      if (location.provider.isSessionId(location.id))
        await run(location, commandsOf(location).remove(location.id));
    },
    placed: placed.list,
  };
}

function commandsOf({ provider }: SessionLocation): SessionCommands {
  if (provider.sessionCommands === undefined)
    throw new Error(`${provider.title} has no commands for sessions. Use its session files.`);
  return provider.sessionCommands;
}

async function importText(
  directory: string,
  run: RunSessionCommand,
  location: SessionLocation,
  text: string | Buffer,
): Promise<CommandOutput> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(directory, 'import-'));
  try {
    const file = join(folder, copyName);
    await writeFile(file, text, { mode: 0o600 });
    return await run(location, commandsOf(location).import(file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function exportSession(
  location: SessionLocation,
  run: RunSessionCommand,
  maxBytes: number,
): Promise<SessionExportResult> {
  const { provider, id } = location;
  const commands = commandsOf(location);
  if (!provider.isSessionId(id)) return { status: 'skipped', reason: invalidIdReason(location) };
  const { exit, output, bytes } = await run(location, commands.export(id));
  if (!hasSucceeded(exit)) return { status: 'skipped', reason: failureReason(location, exit) };
  if (bytes > maxBytes) return { status: 'skipped', reason: tooLargeReason(bytes, maxBytes) };
  if (!commands.isExport(output, id))
    return { status: 'skipped', reason: `the export by ${provider.title} is not session ${id}` };
  const content = Buffer.from(output);
  const files = [{ path: copyName, content }];
  return { status: 'exported', files, mark: markOf(content), includesEarlierPoints: false };
}

/** Chooses the export to import. Refuses before the existing session is removed. */
function chooseCopy(
  location: SessionLocation,
  copies: readonly SessionFile[],
  mark: SessionMark | undefined,
): SessionFile | SessionImportResult {
  const { provider, id } = location;
  const refused = (reason: string): SessionImportResult => ({ status: 'refused', reason });
  if (!provider.isSessionId(id)) return refused(invalidIdReason(location));
  const newest = [...copies].sort((one, other) => (one.path < other.path ? -1 : 1)).at(-1);
  if (newest === undefined) return refused(`the checkpoint has no export of ${provider.title} session ${id}`);
  const copy = mark === undefined ? newest : copies.find(({ content }) => matchesMark(content, mark));
  if (copy === undefined) {
    const reason = `the checkpoint has no export of ${provider.title} session ${id} from the end of that attempt`;
    return { status: 'session-ahead', reason };
  }
  return commandsOf(location).isExport(copy.content.toString('utf8'), id)
    ? copy
    : refused(`the copy in the checkpoint is not an export of ${provider.title} session ${id}`);
}

async function runCommand(
  processes: ProcessRunner,
  location: SessionLocation,
  { file, args, env }: SessionCommand,
  { maxBytes, signal }: CommandLimits,
): Promise<CommandOutput> {
  let lines: string[] = [];
  let bytes = 0;
  const count = (length: number): void => {
    bytes += length + 1;
    if (bytes > maxBytes) lines = [];
  };
  const exit = await processes.run({
    file,
    args,
    directory: location.directory,
    env: { ...withoutCredentials(location), ...env },
    onLine: (line, stream) => {
      if (stream !== 'stdout') return;
      count(Buffer.byteLength(line));
      if (bytes <= maxBytes) lines.push(line);
    },
    longestLine: maxBytes,
    onSkippedLine: count,
    timeoutMs,
    ...defined({ signal }),
  });
  return { exit, output: lines.length === 0 ? '' : `${lines.join('\n')}\n`, bytes };
}

interface CommandLimits {
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

/** These commands call no model and need no key, so they get neither known credentials nor variables that look like secrets. */
function withoutCredentials({ provider, environment }: SessionLocation): Readonly<Record<string, string>> {
  const names = new Set(provider.environment.credentials.map(({ variable }) => variable));
  const rest = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined || names.has(name) || isSecretVariable(name, value) ? [] : [[name, value] as const],
  );
  return Object.fromEntries(rest);
}

function hasSucceeded(exit: ProcessExit): boolean {
  return exit.reason === 'exited' && exit.code === 0;
}

function failureReason({ provider, id }: SessionLocation, exit: ProcessExit): string {
  const ends: Readonly<Record<ProcessExit['reason'], string>> = {
    exited: exit.code === undefined ? 'was killed' : `ended with exit code ${exit.code}`,
    timeout: `did not end within ${timeoutMs / 1000} seconds`,
    cancelled: 'was cancelled',
    'not-found': 'was not found',
  };
  const lastErrorLine = stripAnsi(exit.stderrTail).trim().split('\n').at(-1)?.slice(0, 500) ?? '';
  const end = `the ${provider.title} command for session ${id} ${ends[exit.reason]}`;
  return lastErrorLine === '' ? end : `${end}: ${lastErrorLine}`;
}

function markOf(content: Buffer): SessionMark {
  return { length: content.length, sha256: hashOf(content) };
}

function matchesMark(content: Buffer, mark: SessionMark): boolean {
  return content.length === mark.length && markOf(content).sha256 === mark.sha256;
}
