/** Finds the files of a directory store that no restore needs. */
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckpointKey, compareKeys, isSameRun } from './checkpoint-key.js';
import { headerBytes, readBinding } from './seal.js';

/** A file whose name is a key of this action. */
export interface StoredCheckpoint {
  readonly name: string;
  readonly key: CheckpointKey;
}

/** Number of checkpoints kept for one state in one run: the ones that a restore may try, and one more. */
const maxCheckpoints = 5;
/** GitHub re-runs a job for 30 days after the first start of its run. */
const maxAgeMs = 30 * 24 * 3600 * 1000;

/**
 * The files of the state to which `written` belongs that its newest checkpoints do not build on, and all files of
 * states that are older than 30 days.
 */
export async function findObsolete(
  directory: string,
  files: readonly StoredCheckpoint[],
  written: CheckpointKey,
  now: number,
): Promise<readonly string[]> {
  const states = groupByState(files);
  const obsolete: string[] = [];
  for (const ofState of states.values()) {
    const newestFirst = [...ofState].sort((one, other) => compareKeys(other.key, one.key));
    if (newestFirst.some(({ key }) => isSameRun(key, written)))
      obsolete.push(...(await findUnneeded(directory, newestFirst)));
    else if (await isOld(directory, newestFirst, now)) obsolete.push(...ofState.map(({ name }) => name));
  }
  return obsolete;
}

function groupByState(files: readonly StoredCheckpoint[]): ReadonlyMap<string, readonly StoredCheckpoint[]> {
  const states = new Map<string, readonly StoredCheckpoint[]>();
  for (const file of files) states.set(stateOf(file.key), [...(states.get(stateOf(file.key)) ?? []), file]);
  return states;
}

function stateOf({ stateHash, runId }: CheckpointKey): string {
  return `${stateHash}-${runId}`;
}

async function findUnneeded(
  directory: string,
  newestFirst: readonly StoredCheckpoint[],
): Promise<readonly string[]> {
  const kept = newestFirst.slice(0, maxCheckpoints);
  const chains = await Promise.all(kept.map(({ name }) => readChain(join(directory, name))));
  const needed = new Set([...kept.map(({ name }) => name), ...chains.flat()]);
  return newestFirst.flatMap(({ name }) => (needed.has(name) ? [] : [name]));
}

/** The keys that the header names. It may be forged, so nothing but what stays here depends on it. */
async function readChain(file: string): Promise<readonly string[]> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return [];
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headerBytes), 0, headerBytes, 0);
    return (readBinding(buffer.subarray(0, bytesRead))?.chain ?? []).map(({ key }) => key);
  } finally {
    await handle.close();
  }
}

async function isOld(directory: string, files: readonly StoredCheckpoint[], now: number): Promise<boolean> {
  const times = await Promise.all(
    files.map(async ({ name }) => (await stat(join(directory, name)).catch(() => undefined))?.mtimeMs),
  );
  return times.every((time) => time === undefined || now - time > maxAgeMs);
}
