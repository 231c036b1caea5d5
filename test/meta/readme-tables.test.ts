import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { metadata, read, top } from './project.js';

it('has the tables of inputs and outputs that action.yml asks for', () => {
  const check = () => execFileSync(process.execPath, ['scripts/readme-tables.mjs', '--check'], { cwd: top });
  expect(check).not.toThrow();
});

it('names every input and output in them', () => {
  const readme = read('README.md');
  for (const name of [...Object.keys(metadata.inputs), ...Object.keys(metadata.outputs)]) {
    expect(readme).toContain(`\n| \`${name}\` |`);
  }
});

it('sets every output that action.yml declares', () => {
  const source = read('src/action/finish.ts');
  for (const name of Object.keys(metadata.outputs)) {
    expect(source).toMatch(new RegExp(`^ {4}'?${name}'?: `, 'm'));
  }
});
