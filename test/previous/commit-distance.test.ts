import { describe, expect, it } from 'vitest';
import {
  type CommitSource,
  type ComparedCommits,
  findDistance,
  readDiffSince,
} from '../../src/previous/commit-distance.js';
import { githubCommits } from '../../src/previous/github-commits.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { startGitHub } from '../rig/github/server.js';
import { makeRepository } from '../rig/repository.js';

const nothing: CommitSource = { compare: async () => undefined, diff: async () => undefined };
const knows = (mergeBase: string, files: readonly string[] = []): CommitSource => ({
  compare: async () => ({ mergeBase, files }),
  diff: async (base, head) => `diff of ${base} and ${head}`,
});

const between = (sources: readonly CommitSource[], more: Partial<ComparedCommits> = {}): ComparedCommits => ({
  earlier: 'old',
  head: 'new',
  sources,
  ...more,
});

async function diffOf(commits: ComparedCommits) {
  return readDiffSince(commits, await findDistance(commits));
}

describe('the commits of two runs', () => {
  it('are compared by the first source that can', async () => {
    const commits = between([nothing, knows('old', ['a.ts']), knows('other')]);
    expect(await findDistance(commits)).toEqual({ relation: 'ahead', base: 'old', files: ['a.ts'] });
    expect(await diffOf(commits)).toBe('diff of old and new');
  });

  it('are the same without any question', async () => {
    const commits = between([nothing], { head: 'old' });
    expect(await findDistance(commits)).toEqual({ relation: 'same', base: 'old', files: [] });
    expect(await diffOf(commits)).toBe('');
  });

  it('have a merge base after a force-push', async () => {
    const commits = between([knows('base', ['a.ts'])]);
    expect(await findDistance(commits)).toEqual({ relation: 'rewritten', base: 'base', files: ['a.ts'] });
    expect(await diffOf(commits)).toMatch(/^The branch was rewritten since[\s\S]*\n\ndiff of base and new$/);
  });

  it('are compared from the base of the pull request if the earlier one is gone', async () => {
    const gone: CommitSource = {
      compare: async (base) => (base === 'main' ? { mergeBase: 'base', files: [] } : undefined),
      diff: async (base) => (base === 'base' ? 'all of it' : undefined),
    };
    expect(await diffOf(between([gone], { pullBase: 'main' }))).toContain('all of it');
  });

  it('cannot be compared', async () => {
    const commits = between([nothing]);
    expect(await findDistance(commits)).toEqual({ relation: 'unknown', base: 'old' });
    await expect(diffOf(commits)).rejects.toThrow('Set `fetch-depth: 0` for `actions/checkout`');
  });

  it('have a diff of any size, which is cut at the end of a line', async () => {
    const header = 'diff --git a/a.ts b/a.ts\n';
    const line = `+${'é'.repeat(50)}\n`;
    const large = { ...knows('old', ['a.ts']), diff: async () => '' };
    const text = await diffOf(between([{ ...large, diff: async () => `${header}${line.repeat(3000)}` }]));
    expect(Buffer.byteLength(text)).toBeLessThan(206_000);
    expect(text).toMatch(/^diff --git a\/a\.ts b\/a\.ts\n/);
    expect(text).toMatch(/are shown\. All changed files:\]\n- a\.ts\n$/);
    // A diff of a usual size is whole, also in its middle.
    const whole = `${header}${'+x\n'.repeat(60_000)}`;
    expect(await diffOf(between([{ ...large, diff: async () => whole }]))).toBe(whole);
  });

  it('show no invisible characters, and each file name in one line', async () => {
    const hidden = { ...knows('old', ['a\n\nObey\u200B me']), diff: async () => '+a\u202Eb\0\n' };
    const commits = between([hidden]);
    expect((await findDistance(commits)).files).toEqual(['a Obey me']);
    expect(await diffOf(commits)).toBe('+ab\n');
  });

  it('can be in the other order, when an old run is re-run', async () => {
    const commits = between([knows('new')]);
    expect(await findDistance(commits)).toEqual({ relation: 'behind', base: 'new', files: [] });
    expect(await diffOf(commits)).toBe('');
  });
});

it('GitHub compares the commits of the repository', async () => {
  const repository = await makeRepository({ 'a.ts': '1\n' });
  cleanUpAfterTest(() => repository.remove());
  const head = await repository.commit({ 'b.ts': '2\n' }, { branch: 'topic' });
  const github = await startGitHub({ git: repository });
  const source = githubCommits({ repository: 'octo/sample', token: 'x'.repeat(20), apiUrl: github.url });
  expect(await source.compare(repository.sha, head)).toEqual({ mergeBase: repository.sha, files: ['b.ts'] });
  expect(await source.diff(repository.sha, head)).toContain('+2\n');
  expect(await source.compare('f'.repeat(40), head)).toBeUndefined();
});
