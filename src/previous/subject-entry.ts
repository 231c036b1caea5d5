/** The contents of an entry with the sessions of a subject, and their form in an archive. A stored format. Pure. */
import { z } from 'zod';
import type { ArchiveEntry } from '../checkpoint/archive.js';
import { type SessionCopyFile, sessionPath, sessionsIn } from '../checkpoint/checkpoint-contents.js';
import type { EarlierStep } from '../engine/previous-run.js';

/** Increased if an older reader could misread a newer entry. An entry of another version is refused. */
const entryVersion = 1;

export interface SubjectEntry {
  readonly runId: string;
  readonly jobAttempt: number;
  /** The head commit of the pull request, or the commit of the event. */
  readonly commit: string;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  readonly steps: readonly EarlierStep[];
  /** The files of the sessions that the steps name. */
  readonly sessions: readonly SessionCopyFile[];
  /** The subject whose run opened this pull request. Absent if the entry is of a run on the subject itself. */
  readonly inheritedFrom?: string;
}

const factsPath = 'entry.json';

const count = z.number().int().min(0);

const stepSchema = z.object({
  path: z.string(),
  agent: z.string(),
  provider: z.string(),
  sessionId: z.string().optional(),
  tokens: count.optional(),
  result: z.string().optional(),
  comments: z.string().optional(),
  diff: z.string().optional(),
  files: z.array(z.string()),
  runId: z.string(),
  commit: z.string(),
  endedAt: count,
  isInterrupted: z.literal(true).optional(),
});

const factsSchema = z.object({
  version: z.literal(entryVersion),
  runId: z.string(),
  jobAttempt: count,
  // It becomes part of git commands and of requests.
  commit: z.string().regex(/^[0-9a-f]{40,64}$/),
  endedAt: count,
  steps: z.array(stepSchema),
  inheritedFrom: z.string().optional(),
});

export function toArchive({ sessions, ...facts }: SubjectEntry): readonly ArchiveEntry[] {
  return [
    { path: factsPath, content: Buffer.from(JSON.stringify({ version: entryVersion, ...facts })) },
    ...sessions.map((file) => ({ path: sessionPath(file), content: file.content })),
  ];
}

/** Why the contents cannot be used, as the end of a sentence, or the contents. */
export function fromArchive(entries: readonly ArchiveEntry[]): SubjectEntry | string {
  const facts = entries.find(({ path }) => path === factsPath);
  const value = facts && parseJson(facts.content);
  if (typeof value !== 'object' || value === null) return 'its content is invalid';
  if (!('version' in value) || value.version !== entryVersion)
    return 'another version of this action wrote it in a format that this version cannot read';
  const read = factsSchema.safeParse(value);
  if (!read.success) return 'its content is invalid';
  const { version: _version, ...contents } = read.data;
  return { ...(contents as Omit<SubjectEntry, 'sessions'>), sessions: sessionsIn(entries) };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
