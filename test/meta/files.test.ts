/** What must not be in a committed file. */
import { homedir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { listFiles, readText, repositoryRoot } from './project-files.js';

const all = listFiles();

function filesContaining(pattern: RegExp | string, among = all): readonly string[] {
  return among.filter((path) => {
    const text = readText(path);
    return typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text);
  });
}

describe('committed files', () => {
  it('are found', () => expect(all.length).toBeGreaterThan(200));

  it('name no place of the machine they were made on', () => {
    expect(filesContaining(`${repositoryRoot}/`)).toEqual([]);
    // Samples speak of the home of the runner, which is that of this machine when CI runs it.
    if (homedir() !== '/home/runner') expect(filesContaining(`${homedir()}/`)).toEqual([]);
  });

  it('name no package registry: which one is used is for the machine to say', () => {
    const locks = all.filter((path) => path.endsWith('package-lock.json'));
    expect(locks.length).toBeGreaterThan(1);
    expect(filesContaining('"resolved"', locks)).toEqual([]);
    const settings = all.filter((path) => path.endsWith('.npmrc'));
    expect(filesContaining(/registry *=/, settings)).toEqual([]);
  });

  it('use actions by the id of a commit, in the workflows of this repository', () => {
    const own = all.filter((path) => path.startsWith('.github/workflows/'));
    const uses = own.flatMap((path) => [...readText(path).matchAll(/uses: (\S+)/g)].map((match) => match[1]));
    expect(uses.length).toBeGreaterThan(5);
    for (const one of uses) expect(one).toMatch(/^\.\/$|@[0-9a-f]{40}$/);
  });
});
