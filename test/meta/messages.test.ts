/** People search docs/troubleshooting.md by message, so its headings must match the messages in the source. */
import { describe, expect, it } from 'vitest';
import { listFiles, readText } from './project-files.js';

/** The source, with concatenated string literals joined. */
const source = listFiles('src/*.ts')
  .map((path) =>
    readText(path)
      .replaceAll(/['`] \+\n\s*['`]/g, '')
      .replaceAll('\\`', '`'),
  )
  .join('\n');

/** Between single backticks, or between double ones if the message itself has some. */
const headings = [...readText('docs/troubleshooting.md').matchAll(/^### (`+) ?(.*?) ?\1$/gm)].map(
  (match) => match[2] ?? '',
);

describe('docs/troubleshooting.md', () => {
  it('has headings', () => expect(headings.length).toBeGreaterThan(20));

  it.each(headings)('%s is a message in the source', (heading) => {
    for (const part of heading.split('…')) expect(source).toContain(part.trim());
  });
});

describe('docs/checkpoint.md', () => {
  it('lists every reason for rejecting a checkpoint', () => {
    const page = readText('docs/checkpoint.md').replaceAll('`… another', '`it belongs to another');
    const table =
      /const refusals = \{([\s\S]*?)\n\} as const/.exec(readText('src/checkpoint/binding.ts'))?.[1] ?? '';
    const texts = [...table.matchAll(/'(its? [^':]*|another version[^']*|none of the keys[^':]*)[':]/g)];
    expect(texts.length).toBe(12);
    for (const [, text] of texts) expect(page).toContain(text);
  });
});
