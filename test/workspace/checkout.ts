/** Real repositories in temporary directories, for the workspace tests. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { defined } from '../../src/optional-keys.js';
import { openWorkspace, type WorkspaceOptions } from '../../src/workspace/open.js';
import type { Workspace } from '../../src/workspace/workspace.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';

export interface Checkout {
  readonly root: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  git(...args: readonly string[]): string;
  write(path: string, content: string | Buffer): void;
  read(path: string): string;
  remove(path: string): void;
  /** Content of every file outside `.git`: links as `-> target`, executable files with ` *` after their name. */
  files(): Readonly<Record<string, string>>;
  /** One line for each file under `.git`. */
  gitState(): string;
  open(options?: Partial<WorkspaceOptions>): Promise<Workspace>;
  /** Private directory of the workspace that was opened last. */
  privateDirectory(): string;
}

export function temporaryDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'gump-workspace-')));
  cleanUpAfterTest(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A repository with one commit of these files, checked out on `main`. */
export function repository(files: Readonly<Record<string, string | Buffer>> = { 'a.txt': 'a\n' }): Checkout {
  const checkout = checkoutAt(join(temporaryDirectory(), 'repository'));
  mkdirSync(checkout.root);
  checkout.git('init', '-q', '-b', 'main');
  for (const [path, content] of Object.entries(files)) checkout.write(path, content);
  checkout.git('add', '-A', '-f');
  checkout.git('commit', '-q', '--allow-empty', '-m', 'first');
  return checkout;
}

/** Another checkout of the same commit, like on another machine. */
export function cloneOf(source: Checkout, ...args: readonly string[]): Checkout {
  const checkout = checkoutAt(join(temporaryDirectory(), 'clone'));
  execFileSync('git', ['clone', '-q', ...args, `file://${source.root}`, checkout.root], {
    env: { ...checkout.env },
    stdio: 'pipe',
  });
  return checkout;
}

export function checkoutAt(root: string): Checkout {
  const home = temporaryDirectory();
  const { PATH = '' } = process.env;
  const env = { PATH, HOME: home, GIT_CONFIG_NOSYSTEM: '1' };
  const at = (path: string) => join(root, path);
  let last = '';
  const identity = [
    '-c',
    'user.name=U',
    '-c',
    'user.email=u@example.com',
    '-c',
    'protocol.file.allow=always',
  ];
  return {
    root,
    home,
    env,
    git: (...args) =>
      execFileSync('git', [...identity, ...args], { cwd: root, env, stdio: 'pipe' }).toString(),
    write(path, content) {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), content);
    },
    read: (path) => readFileSync(at(path), 'utf8'),
    remove: (path) => rmSync(at(path), { recursive: true }),
    files: () =>
      Object.fromEntries(
        listFiles(root, '').filter(([path]) => path !== '.git' && !path.startsWith('.git/')),
      ),
    gitState: () => fileStates(join(root, '.git')),
    async open(options = {}) {
      last = join(temporaryDirectory(), 'private');
      return openWorkspace({ directory: root, privateDirectory: last, env, ...options });
    },
    privateDirectory: () => last,
  };
}

export function installHook(checkout: Checkout, name: string, marker: string): void {
  checkout.write(`.git/hooks/${name}`, `#!/bin/sh\necho ${name} >>'${marker}'\nexit 1\n`);
  chmodSync(join(checkout.root, '.git/hooks', name), 0o755);
}

/** All blobs in a pack or in the objects of a private directory. */
export function blobsOf(checkout: Checkout, pack: Buffer): readonly string[] {
  const bare = temporaryDirectory();
  const git = (args: readonly string[], input?: Buffer) =>
    execFileSync('git', args, {
      cwd: bare,
      env: checkout.env,
      ...defined({ input }),
    }).toString();
  git(['init', '-q', '--bare', '.']);
  writeFileSync(join(bare, 'objects/info/alternates'), `${join(checkout.root, '.git/objects')}\n`);
  const known = new Set(git(['cat-file', '--batch-all-objects', '--batch-check']).split('\n'));
  git(['index-pack', '--stdin', '--fix-thin'], pack);
  writeFileSync(join(bare, 'objects/info/alternates'), '');
  const all = git(['cat-file', '--batch-all-objects', '--batch-check']).split('\n');
  const ids = all
    .filter((line) => line.includes(' blob ') && !known.has(line))
    .map((line) => line.split(' ')[0] ?? '');
  return ids.map((id) => git(['cat-file', 'blob', id]));
}

function listFiles(root: string, prefix: string): readonly (readonly [string, string])[] {
  return readdirSync(join(root, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = prefix + entry.name;
    if (entry.isDirectory()) return listFiles(root, `${path}/`);
    if (entry.isSymbolicLink()) return [[path, `-> ${readlinkSync(join(root, path))}`] as const];
    const isExecutable = (lstatSync(join(root, path)).mode & 0o100) !== 0;
    return [[isExecutable ? `${path} *` : path, readFileSync(join(root, path), 'utf8')] as const];
  });
}

function fileStates(directory: string): string {
  const lines: string[] = [];
  for (const name of readdirSync(directory, { recursive: true }) as string[]) {
    const found = lstatSync(join(directory, name));
    const content = found.isFile()
      ? createHash('sha256')
          .update(readFileSync(join(directory, name)))
          .digest('hex')
      : '';
    // Without the time of an object: git updates it if the same object is written again.
    const time = found.isFile() && !name.startsWith('objects/') ? found.mtimeMs : '';
    lines.push(`${name} ${found.mode} ${time} ${content}`);
  }
  return lines.sort().join('\n');
}
