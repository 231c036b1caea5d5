/** The tag of the major version, in a real repository with a real remote. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/move-major-tag.sh', import.meta.url));
const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com'];

let folder: string;
let clone: string;

const git = async (...args: readonly string[]) =>
  (await promisify(execFile)('git', [...identity, ...args], { cwd: clone })).stdout.trim();

/** Commits, sets an annotated tag, and pushes it, as a maintainer does. */
async function pushTag(tag: string): Promise<string> {
  await git('commit', '--quiet', '--allow-empty', '--message', tag);
  await git('tag', '--annotate', '--message', tag, tag);
  await git('push', '--quiet', 'origin', `refs/tags/${tag}`);
  return git('rev-parse', 'HEAD');
}

const move = async (tag: string) => (await promisify(execFile)('bash', [script, tag], { cwd: clone })).stdout;
const remoteTag = async (tag: string) =>
  (await git('ls-remote', 'origin', `refs/tags/${tag}`)).split('\t')[0];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gump-tags-'));
  clone = folder;
  await git('init', '--quiet', '--bare', 'remote');
  await git('clone', '--quiet', 'remote', 'clone');
  clone = join(folder, 'clone');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('points at the commit of the newest release', async () => {
  const first = await pushTag('v1.9.0');
  await move('v1.9.0');
  expect(await remoteTag('v1')).toBe(first);
  const second = await pushTag('v1.10.0');
  await move('v1.10.0');
  expect(await remoteTag('v1')).toBe(second);
});

it('does not move back for a fix of an old version', async () => {
  const newest = await pushTag('v1.10.0');
  await move('v1.10.0');
  await pushTag('v1.9.1');
  expect(await move('v1.9.1')).toContain('v1.10.0 is newer than v1.9.1');
  expect(await remoteTag('v1')).toBe(newest);
});

it('ignores other major versions', async () => {
  await pushTag('v10.0.0');
  const release = await pushTag('v1.0.0');
  await move('v1.0.0');
  expect(await remoteTag('v1')).toBe(release);
  expect(await remoteTag('v10')).toBe('');
});

it('does not move for a pre-release', async () => {
  await pushTag('v1.0.0-rc.1');
  expect(await move('v1.0.0-rc.1')).toContain('No tag moves');
  expect(await remoteTag('v1')).toBe('');
});
