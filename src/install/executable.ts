/** How an installed program is started. */
import { closeSync, openSync, readSync, realpathSync } from 'node:fs';

export interface Executable {
  /** Absolute path. */
  readonly file: string;
  /** Arguments that come before all others. */
  readonly leadingArgs: readonly string[];
}

/** `#!/usr/bin/env node`, also with flags for Node. */
const nodeScript = /^#!\s*\S*(?:\/env(?:\s+-S)?\s+|\/)node(?:\s+(\S.*))?$/;

/**
 * The Node that runs the action also runs scripts for Node, because the Node on PATH may be missing or too old,
 * and the action must not change it.
 */
export function executableAt(path: string): Executable {
  const script = nodeScript.exec(firstLine(path));
  if (script === null) return { file: path, leadingArgs: [] };
  const flags = script[1]?.trim().split(/\s+/) ?? [];
  return { file: process.execPath, leadingArgs: [...flags, realpathSync(path)] };
}

function firstLine(path: string): string {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(256);
    const length = readSync(file, buffer);
    return buffer.toString('latin1', 0, length).split('\n', 1)[0]?.trim() ?? '';
  } finally {
    closeSync(file);
  }
}
