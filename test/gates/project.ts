/** Projects for the gate tests: one in memory, and real ones in a temporary folder. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Project } from '../../src/gates/project.js';

/** `files`: path → text. */
export function memoryProject(
  files: Readonly<Record<string, string>>,
  programs: readonly string[] = [],
): Project {
  return {
    exists: (path) => Object.hasOwn(files, path),
    read: (path) => files[path],
    hasProgram: (name) => programs.includes(name),
  };
}

/** A git worktree that is removed after the test; `programs`: name → `sh` script put first on the PATH. */
export function realProject(
  files: Readonly<Record<string, string>>,
  programs: Readonly<Record<string, string>> = {},
): { readonly directory: string; readonly env: Readonly<Record<string, string>> } {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'gates-')));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const directory = join(root, 'work');
  const tools = join(root, 'tools');
  mkdirSync(directory);
  mkdirSync(tools);
  execFileSync('git', ['init', '--quiet'], { cwd: directory });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(tools, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(tools, name), 0o755);
  }
  return { directory, env: { PATH: `${tools}:${process.env.PATH ?? ''}`, HOME: root } };
}
