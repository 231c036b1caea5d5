import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { withCompileCache } from '../rig/runner/compile-cache.js';

it('gives two stages that start at the same time the same wrapper', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gump-compile-cache-'));
  cleanUpAfterTest(() => rm(folder, { recursive: true }));
  const starters = await Promise.all(
    Array.from({ length: 8 }, () => withCompileCache(join(folder, 'index.js'))),
  );
  cleanUpAfterTest(() => rm(dirname(starters[0] ?? ''), { recursive: true }));
  expect(new Set(starters).size).toBe(1);
  await access(starters[0] ?? '');
});
