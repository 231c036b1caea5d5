/** Content that committed files must not have. */
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

  it('contain no path of the machine that created them', () => {
    expect(filesContaining(`${repositoryRoot}/`)).toEqual([]);
    // Samples contain the home folder of the runner. In CI, that is the home folder of this machine.
    if (homedir() !== '/home/runner') expect(filesContaining(`${homedir()}/`)).toEqual([]);
  });

  it('name no package registry, because each machine configures its own', () => {
    const locks = all.filter((path) => path.endsWith('package-lock.json'));
    expect(locks.length).toBeGreaterThan(1);
    expect(filesContaining('"resolved"', locks)).toEqual([]);
    const settings = all.filter((path) => path.endsWith('.npmrc'));
    expect(filesContaining(/registry *=/, settings)).toEqual([]);
  });

  it('pin actions to commit ids in the workflows of this repository', () => {
    const own = all.filter((path) => path.startsWith('.github/workflows/'));
    const uses = own.flatMap((path) => [...readText(path).matchAll(/uses: (\S+)/g)].map((match) => match[1]));
    expect(uses.length).toBeGreaterThan(5);
    for (const one of uses) expect(one).toMatch(/^\.\/$|@[0-9a-f]{40}$/);
  });
});
