/** Values that the tests of entries share. */
import type { EarlierStep } from '../../src/engine/previous-run.js';
import type { EntryWriter } from '../../src/previous/sealed-entry.js';
import { type RunEntryOptions, storeRunEntry } from '../../src/previous/store-entry.js';
import type { SubjectScope } from '../../src/previous/subject-scope.js';
import type { MemoryEntries } from '../checkpoint/memory-entries.js';
import { stateKey } from '../checkpoint/sample.js';

export const pullScope: SubjectScope = {
  repositoryId: '42',
  workflowFile: '.gump/workflows/review.yaml',
  subject: 'pr-7',
  trust: 'repository',
  part: '',
};

export function writerOf(runId: string, scope: SubjectScope = pullScope): EntryWriter {
  return { scope, runId, jobAttempt: 1, secrets: [stateKey] };
}

export function earlierStep(path: string, more: Partial<EarlierStep> = {}): EarlierStep {
  const run = { runId: '1001', commit: commitOf('1001'), endedAt: 1000 };
  return {
    path,
    agent: 'claude-haiku',
    provider: 'claude',
    sessionId: `session-${path}`,
    files: [],
    ...run,
    ...more,
  };
}

export function commitOf(runId: string): string {
  return runId.padStart(40, '0');
}

export function sessionFile(id: string, text: string) {
  return { provider: 'claude', id, path: `projects/-w/${id}.jsonl`, content: Buffer.from(text) };
}

/** A run of the scope ends. */
export function storeRun(
  memory: MemoryEntries,
  runId: string,
  contents: Partial<RunEntryOptions['contents']> = {},
  more: Partial<RunEntryOptions> = {},
) {
  const facts = { commit: commitOf(runId), endedAt: 1000 };
  const steps = [earlierStep('review', { runId, sessionId: `session-${runId}` })];
  const sessions = [sessionFile(`session-${runId}`, `said in ${runId}\n`)];
  return storeRunEntry({
    ...writerOf(runId),
    store: memory.open(runId),
    contents: { ...facts, steps, sessions, ...contents },
    oldest: 0,
    ...more,
  });
}
