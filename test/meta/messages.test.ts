/** People search docs/troubleshooting.md by message, so its headings must match the messages in the source. */
import { describe, expect, it } from 'vitest';
import { helpSection } from '../../src/report/help-link.js';
import { troubleshootingHeadings } from '../../src/report/troubleshooting-headings.js';
import { anchors, listFiles, readText } from './project-files.js';

/** The source, with concatenated string literals joined. */
const source = listFiles('src/*.ts')
  .filter((path) => !path.endsWith('/troubleshooting-headings.ts'))
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

  it('has the headings to which errors link', () => expect(troubleshootingHeadings).toEqual(headings));

  it.each(headings)('%s is the section of its own message', (heading) => {
    const section = helpSection(`Step \`x\`: ${heading.replaceAll('…', 'abc')}`);
    expect(section).toMatch(/^docs\/troubleshooting\.md#./);
    expect(anchors('docs/troubleshooting.md')).toContain(section?.split('#')[1]);
    expect(section).toBe(helpSection(heading));
  });

  it('has a section for each kind of failure', () => {
    expect(helpSection('Step `a` failed at attempt 1 (gate): gate `x` failed.')).toBe(
      'docs/troubleshooting.md#kinds-of-failure',
    );
    expect(helpSection('flow.yaml:1:2: Wrong. [unknown-key]\n 1 | x')).toBe(
      'docs/workflow.md#errors-warnings-and-their-codes',
    );
    for (const section of [
      'docs/troubleshooting.md#kinds-of-failure',
      'docs/workflow.md#errors-warnings-and-their-codes',
    ]) {
      const [page = '', anchor] = section.split('#');
      expect(anchors(page)).toContain(anchor);
    }
    expect(helpSection('nothing (else): known')).toBeUndefined();
  });

  it.each(headings)('%s is a message in the source', (heading) => {
    for (const part of heading.split('…')) expect(source).toContain(part.trim());
  });
});

describe('docs/checkpoint.md', () => {
  it('lists every reason for rejecting a checkpoint', () => {
    const page = readText('docs/checkpoint.md').replaceAll('`… another', '`it belongs to another');
    const table =
      /const refusals = \{([\s\S]*?)\n\} as const/.exec(readText('src/checkpoint/binding.ts'))?.[1] ?? '';
    const texts = [
      ...table.matchAll(/'(its? [^':]*|an entry [^':]*|another version[^']*|none of the keys[^':]*)[':]/g),
    ];
    expect(texts.length).toBe(14);
    for (const [, text] of texts) expect(page).toContain(text);
  });
});
