/** Compares the npm packages in the table of providers with those in the tests with the real CLIs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { providers } from '../../src/providers/provider-registry.js';
import { pinnedVersions } from '../../src/providers/versions.js';

const real = JSON.parse(readFileSync(join(import.meta.dirname, '../real/package.json'), 'utf8'));
const tried = Object.entries(real.dependencies as Readonly<Record<string, string>>).map(([name, version]) => {
  const alias = /^npm:(.+)@(.+)$/.exec(version);
  return `${alias?.[1] ?? name}@${alias?.[2] ?? version}`;
});
const onNpm = providers.filter(({ npm }) => npm !== undefined);

describe('installing', () => {
  it('has a pinned version for exactly the providers that are on npm', () => {
    expect(Object.keys(pinnedVersions)).toEqual(onNpm.map(({ id }) => id));
    expect(providers.filter(({ npm }) => npm === undefined).map(({ id }) => id)).toEqual(['cursor']);
  });

  it.each(onNpm)('installs the tested package of $title', ({ id, npm, installHint }) => {
    expect(tried).toContain(`${npm?.name}@${pinnedVersions[id]}`);
    expect(installHint).toContain(npm?.name);
  });

  it.each(onNpm)('runs the install script of $title if the real CLI needs it', ({ npm }) => {
    expect(npm?.needsScript ?? false).toBe(Object.hasOwn(real.allowScripts, npm?.name ?? ''));
  });
});

describe('further arguments', () => {
  const turn = { prompt: 'x', permission: 'workspace', directory: '/work', isRoot: false } as const;
  const sessions = [{ mode: 'start' }, { mode: 'resume', id: 'ses_0123456789abcdef0123456789' }] as const;

  it.each(providers)('come first on the command line of $title, once and unchanged', ({ buildCommand }) => {
    for (const session of sessions) {
      const plain = buildCommand({ ...turn, session }).args;
      const args = buildCommand({ ...turn, session, args: ['--further', 'a b'] }).args;
      const at = args.indexOf('--further');
      expect(at).toBeGreaterThanOrEqual(0);
      expect(at).toBeLessThan(2);
      expect(args.toSpliced(at, 2)).toEqual(plain);
      expect(args[at + 1]).toBe('a b');
    }
  });
});
