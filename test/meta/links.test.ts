/** Every link and picture of the pages leads to a file of this repository, and every anchor to a heading. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchors, docPages, readText, repositoryRoot } from './project-files.js';

interface Link {
  readonly page: string;
  readonly target: string;
}

/** The text without code, which contains no links. */
const proseOf = (page: string) =>
  readText(page)
    .replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '')
    .replaceAll(/(`+)(?!`).*?[^`]\1(?!`)/g, 'code');

const linksOf = (page: string, pattern: RegExp): readonly Link[] =>
  [...proseOf(page).matchAll(pattern)].map((match) => ({ page, target: match[1] ?? '' }));

const links = docPages.flatMap((page) => linksOf(page, /\]\(([^)\s]+)\)/g));
const pictures = docPages.flatMap((page) => linksOf(page, /\b(?:src|srcset|href)="([^"]+)"/g));
const references = docPages.flatMap((page) => linksOf(page, /^(\[[^\]]+\]: .*)$/gm));
const isOwn = ({ target }: Link) => !/^https?:\/\//.test(target);

const exists = (page: string, path: string) => existsSync(join(repositoryRoot, dirname(page), path));

describe('links between the pages', () => {
  it('are found, and all have the form that this test checks', () => {
    expect(links.filter(isOwn).length).toBeGreaterThan(100);
    expect(references).toEqual([]);
  });

  it.each(links.filter(isOwn))('$page → $target', ({ page, target }) => {
    const [path = '', anchor] = target.split('#');
    expect(path === '' || exists(page, path)).toBe(true);
    const file = path === '' ? page : join(dirname(page), path);
    if (anchor !== undefined) expect(anchors(file)).toContain(anchor);
  });

  it.each(links.filter((link) => !isOwn(link)))('$page → $target is encrypted', ({ target }) => {
    expect(target).toMatch(/^https:/);
  });
});

describe('pictures in the pages', () => {
  it.each(pictures.filter(isOwn))('$page → $target', ({ page, target }) => {
    expect(exists(page, target)).toBe(true);
    // They are part of each clone.
    expect(statSync(join(repositoryRoot, dirname(page), target)).size).toBeLessThan(200_000);
  });
});
