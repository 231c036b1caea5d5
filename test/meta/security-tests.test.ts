/** The tables of docs/security.md name the tests of each protection. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readText, repositoryRoot } from './project-files.js';

const text = readText('docs/security.md');
const tables = text.slice(
  text.indexOf('## Threats and protection'),
  text.indexOf('## What is not protected'),
);
const rows = tables.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| Threat'));
const testsOf = (row: string) =>
  [...(row.split(' | ').at(-1) ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name);

it('every threat but that of instructions in a text names its tests', () => {
  expect(rows.length).toBeGreaterThan(20);
  const untested = rows.filter((row) => testsOf(row).length === 0);
  expect(untested).toEqual([expect.stringContaining('A stranger writes instructions')]);
});

it.each([...new Set(rows.flatMap(testsOf))])('%s exists', (name) => {
  expect(existsSync(join(repositoryRoot, 'test', `${name}.test.ts`))).toBe(true);
});
