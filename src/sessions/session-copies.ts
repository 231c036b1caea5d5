/**
 * The store of session copies, from which the next checkpoint is built. It is in a private directory of the job,
 * so that `post` can still use the copies after `main` ended and they do not fill the memory.
 *
 * Agents can write there too. So the store keeps an index in memory, with the hash of each copy as it was taken, and
 * reads nothing that differs. A replaced copy is written next to the old one, and the old one is removed after the
 * index was passed on. So every index that `post` can have names complete copies, whenever `main` is killed.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hashOf } from '../system/hash-of.js';
import type { SessionFile } from './session-mark.js';
import {
  type ExportedSession,
  type SessionExportResult,
  type SessionLocation,
  type SessionRef,
  type SessionStore,
  sessionRefOf,
} from './session-store.js';

export interface SessionCopies {
  /** Stores a new copy. It replaces the earlier copies if it includes their points of the session (S13). */
  save(session: SessionRef, exported: ExportedSession): Promise<void>;
  /**
   * Stores a copy from while the agent is at work, which is needed only until the next copy. Of such copies the newest
   * two are kept, because the checkpoint that needs the earlier one may not be sealed yet.
   */
  saveInterim(session: SessionRef, exported: ExportedSession): Promise<void>;
  /** Replaces all copies of this session by those of a restored checkpoint. */
  replace(session: SessionRef, copies: readonly SessionFile[]): Promise<void>;
  /** All copies, the newest last; empty if there are none, or if another program changed one of them. */
  read(session: SessionRef): Promise<readonly SessionFile[]>;
  /** The same, but does not read a copy for which `isKnown` is true. */
  readNew(session: SessionRef, isKnown: IsKnownCopy): Promise<readonly SessionCopy[]>;
}

/** `content` is absent if the copy is known. */
export interface SessionCopy {
  readonly path: string;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly content?: Buffer;
}

export type IsKnownCopy = (path: string, sha256: string) => boolean;

/** The copies of one session: files below the folder `<provider>/<id>/<generation>`, and their hashes. */
export interface CopiedSession {
  readonly generation: number;
  readonly files: Readonly<Record<string, string>>;
  /** The names of those files that are copies from while the agent was at work, oldest first. */
  readonly interim?: readonly string[];
}

/** `<provider>/<id>` → its copies. Plain data, because `post` is another process. */
export type SessionCopyIndex = Readonly<Record<string, CopiedSession>>;

export interface SessionCopiesOptions {
  readonly directory: string;
  /** The index of an earlier process of this job. */
  readonly index?: SessionCopyIndex;
  /** Called when copies were written. What it returns is all that a later process may believe. */
  onChange?(index: SessionCopyIndex): void;
  /** Called if another program changed a copy, so that the session cannot be stored. */
  onAltered?(session: SessionRef): void;
}

export function openSessionCopies(options: SessionCopiesOptions): SessionCopies {
  const { directory } = options;
  const index = new Map(Object.entries(options.index ?? {}));
  const folderOf = (session: SessionRef, generation: number) =>
    join(directory, session.provider, session.id, String(generation));

  function put(session: SessionRef, copied: CopiedSession): void {
    index.set(keyOf(session), copied);
    options.onChange?.(Object.fromEntries(index));
  }

  async function add(session: SessionRef, files: readonly SessionFile[], isInterim: boolean): Promise<void> {
    const before = index.get(keyOf(session)) ?? { generation: 1, files: {} };
    const last = Object.entries(before.files).sort().at(-1);
    const added: SessionFile[] = [];
    for (const { path, content } of files)
      if (last?.[1] !== hashOf(content)) added.push({ path: `${nextNumber(last?.[0])}-${path}`, content });
    const folder = folderOf(session, before.generation);
    await writeAll(folder, added);
    const { kept, outdated } = sortInterim(before.interim ?? [], {
      added: added.map(({ path }) => path),
      last: last?.[0],
      isInterim,
    });
    const needed = Object.entries(before.files).filter(([path]) => !outdated.includes(path));
    put(session, {
      generation: before.generation,
      files: { ...Object.fromEntries(needed), ...hashesOf(added) },
      ...(kept.length === 0 ? {} : { interim: kept }),
    });
    for (const path of outdated) await rm(join(folder, path), { force: true });
  }

  const copies: SessionCopies = {
    async save(session, { files, includesEarlierPoints }) {
      if (includesEarlierPoints) return copies.replace(session, files);
      await add(session, files, false);
    },
    async saveInterim(session, { files, includesEarlierPoints }) {
      if (includesEarlierPoints) return copies.replace(session, files);
      await add(session, files, true);
    },
    async replace(session, files) {
      const before = index.get(keyOf(session));
      const generation = (before?.generation ?? 0) + 1;
      await writeAll(folderOf(session, generation), files);
      put(session, { generation, files: hashesOf(files) });
      if (before !== undefined)
        await rm(folderOf(session, before.generation), { recursive: true, force: true });
    },
    async read(session) {
      const read = await copies.readNew(session, () => false);
      return read.flatMap(({ path, content }) => (content === undefined ? [] : [{ path, content }]));
    },
    async readNew(session, isKnown) {
      for (;;) {
        const copied = index.get(keyOf(session));
        if (copied === undefined) return [];
        const files = await readAll(folderOf(session, copied.generation), copied, isKnown);
        if (files !== undefined) return files;
        // Otherwise this process replaced the copies in the meantime.
        if (index.get(keyOf(session)) === copied) break;
      }
      options.onAltered?.(session);
      return [];
    },
  };
  return copies;
}

/** A final copy that is the same as the last one is not added again: then that one must stay. */
function sortInterim(
  interim: readonly string[],
  { added, last, isInterim }: { added: readonly string[]; last: string | undefined; isInterim: boolean },
): { readonly kept: readonly string[]; readonly outdated: readonly string[] } {
  const isFinal = (path: string) => !isInterim && added.length === 0 && path === last;
  const earlier = interim.filter((path) => !isFinal(path));
  const outdated = added.length === 0 ? [] : earlier.slice(0, -1);
  return {
    kept: [...earlier.filter((path) => !outdated.includes(path)), ...(isInterim ? added : [])],
    outdated,
  };
}

/** Exports a session and saves the copy for the next checkpoint. */
export async function saveSession(
  store: SessionStore,
  copies: SessionCopies,
  location: SessionLocation,
): Promise<SessionExportResult> {
  const exported = await store.export(location);
  if (exported.status === 'exported') await copies.save(sessionRefOf(location), exported);
  return exported;
}

/** The warning about a session whose copy is no longer the one that was taken. */
export function alteredCopyText({ provider, id }: SessionRef): string {
  return `The stored copy of the ${provider} session \`${id}\` was changed by another program and is not used. A re-run starts a new session. Find out which step writes to the action's files below RUNNER_TEMP.`;
}

function keyOf({ provider, id }: SessionRef): string {
  return `${provider}/${id}`;
}

/** Six digits, so that the alphabetical order is the order of the copies. */
function nextNumber(last: string | undefined): string {
  return String((Number.parseInt(last ?? '0', 10) || 0) + 1).padStart(6, '0');
}

/** Writes to an empty folder: what another program put there has other contents than the index says. */
async function writeAll(folder: string, files: readonly SessionFile[]): Promise<void> {
  for (const { path, content } of files) {
    const file = join(folder, ...path.split('/'));
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, content, { mode: 0o600 });
  }
}

/** `undefined` if a file is missing or differs. */
async function readAll(
  folder: string,
  { files }: CopiedSession,
  isKnown: IsKnownCopy,
): Promise<readonly SessionCopy[] | undefined> {
  const read: SessionCopy[] = [];
  for (const [path, sha256] of Object.entries(files).sort(([one], [other]) => (one < other ? -1 : 1))) {
    if (isKnown(path, sha256)) {
      read.push({ path, sha256 });
      continue;
    }
    const content = await readFile(join(folder, ...path.split('/'))).catch(() => undefined);
    if (content === undefined || hashOf(content) !== sha256) return undefined;
    read.push({ path, sha256, content });
  }
  return read;
}

function hashesOf(files: readonly SessionFile[]): CopiedSession['files'] {
  return Object.fromEntries(files.map(({ path, content }) => [path, hashOf(content)]));
}
