import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { actionMetadata, codeBlocks, readText, repositoryRoot } from './project-files.js';

it('has tables of inputs and outputs that match action.yml', () => {
  const check = () =>
    execFileSync(process.execPath, ['scripts/readme-tables.mjs', '--check'], { cwd: repositoryRoot });
  expect(check).not.toThrow();
});

/** The first cells of the table rows between two markers. */
function listed(marker: string): readonly string[] {
  const readme = readText('README.md');
  const part = readme.slice(readme.indexOf(`<!-- ${marker} -->`), readme.indexOf(`<!-- /${marker} -->`));
  return [...part.matchAll(/^\| `([\w-]+)` \|/gm)].map((match) => match[1] ?? '');
}

it.each(['inputs', 'outputs'] as const)('lists every one of the %s once, and nothing else', (kind) => {
  expect(listed(kind).toSorted()).toEqual(Object.keys(actionMetadata[kind]).toSorted());
});

it('speaks of no input that does not exist', () => {
  const steps = codeBlocks('README.md', 'yaml').flatMap(({ text }) => [
    ...text.matchAll(/uses: OWNER\/gump-action@.*\n(?: +id:.*\n)? +with:\n((?: {10,}.*\n)+)/g),
  ]);
  expect(steps.length).toBeGreaterThan(0);
  const used = steps.flatMap((step) => [...(step[1] ?? '').matchAll(/^ {10}([\w-]+):/gm)]);
  for (const [, name] of used) expect(Object.keys(actionMetadata.inputs)).toContain(name);
});

it('sets every output that action.yml declares', () => {
  const source = readText('src/action/run-result.ts');
  for (const name of Object.keys(actionMetadata.outputs)) {
    expect(source).toMatch(new RegExp(`^ {4}'?${name}'?: `, 'm'));
  }
});
