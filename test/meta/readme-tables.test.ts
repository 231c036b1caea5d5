import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { actionMetadata, readText, repositoryRoot } from './project-files.js';

it('has tables of inputs and outputs that match action.yml', () => {
  const check = () =>
    execFileSync(process.execPath, ['scripts/readme-tables.mjs', '--check'], { cwd: repositoryRoot });
  expect(check).not.toThrow();
});

it('lists every input and output', () => {
  const readme = readText('README.md');
  for (const name of [...Object.keys(actionMetadata.inputs), ...Object.keys(actionMetadata.outputs)]) {
    expect(readme).toContain(`\n| \`${name}\` |`);
  }
});

it('sets every output that action.yml declares', () => {
  const source = readText('src/action/run-result.ts');
  for (const name of Object.keys(actionMetadata.outputs)) {
    expect(source).toMatch(new RegExp(`^ {4}'?${name}'?: `, 'm'));
  }
});
