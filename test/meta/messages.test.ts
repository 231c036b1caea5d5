/** The page that people search by message has the messages as they are. */
import { describe, expect, it } from 'vitest';
import { listFiles, readText } from './project-files.js';

/** The source with texts that are written in several pieces put together. */
const source = listFiles('src/*.ts')
  .map((path) => readText(path).replaceAll(/['`] \+\n\s*['`]/g, ''))
  .join('\n');

const headings = [...readText('docs/troubleshooting.md').matchAll(/^### `(.*)`$/gm)].map(
  (match) => match[1] ?? '',
);

describe('docs/troubleshooting.md', () => {
  it('has headings', () => expect(headings.length).toBeGreaterThan(20));

  it.each(headings)('%s stands in the code', (heading) => {
    for (const part of heading.split('…')) expect(source).toContain(part.trim());
  });
});

describe('docs/checkpoint.md', () => {
  it('has every reason why a checkpoint is refused', () => {
    const page = readText('docs/checkpoint.md').replaceAll('`… another', '`it belongs to another');
    const table =
      /const refusals = \{([\s\S]*?)\n\} as const/.exec(readText('src/checkpoint/binding.ts'))?.[1] ?? '';
    const texts = [...table.matchAll(/'(its? [^':]*|another version[^']*|none of the keys[^':]*)[':]/g)];
    expect(texts.length).toBe(12);
    for (const [, text] of texts) expect(page).toContain(text);
  });
});
