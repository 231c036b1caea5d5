/** Code outside `src/providers` names no provider: a new one is only a row in the table. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { providers } from '../../src/providers/provider-registry.js';

const source = join(import.meta.dirname, '../../src');
const parts = [
  'action',
  'checkpoint',
  'engine',
  'journal',
  'plan',
  'report',
  'security',
  'sessions',
  'workspace',
];

describe.each(parts)('src/%s', (part) => {
  const files = readdirSync(join(source, part)).filter((file) => file.endsWith('.ts'));
  const names = new RegExp(providers.flatMap(({ id, title }) => [id, title]).join('|'), 'i');

  test('names no provider', () => {
    expect(files.length).toBeGreaterThan(0);
    const naming = files.filter((file) => names.test(readFileSync(join(source, part, file), 'utf8')));
    expect(naming).toEqual([]);
  });
});
