import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchors, docPages, readText, repositoryRoot } from './project-files.js';

const links = docPages.flatMap((page) =>
  [...readText(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => ({ page, target: match[1] ?? '' })),
);

describe('links between the pages', () => {
  it.each(links.filter(({ target }) => !target.startsWith('https://')))(
    '$page → $target',
    ({ page, target }) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      expect(existsSync(join(repositoryRoot, file))).toBe(true);
      if (anchor !== undefined) expect(anchors(file)).toContain(anchor);
    },
  );
});
