/** The names of cached CLIs, and what they reveal. */
import { describe, expect, it } from 'vitest';
import type { SealSecret } from '../../src/checkpoint/seal-secrets.js';
import { namePrefix, nextName } from '../../src/cli-cache/cli-entry-name.js';

const facts = { provider: 'codex', version: '0.170.0-alpha.1', platform: 'linux-x64-musl', lock: '{}' };
const credential = (value: string, name = 'OPENAI_API_KEY'): SealSecret => ({
  kind: 'credential',
  name,
  value,
});
const key = credential('sk-proj-no-real-key-0123456789abcdef');
const prefix = (change: object = {}, secret = key, repository = '4242') =>
  namePrefix({ ...facts, ...change }, secret, repository);

describe('the name of a cached CLI', () => {
  it('has the version, the machine, the lock file and four digits of the key', async () => {
    expect(await prefix()).toMatch(
      /^gump-cli-v1-codex-0\.170\.0-alpha\.1-linux-x64-musl-44136fa355b3-[0-9a-f]{4}-$/,
    );
    expect(await prefix()).toBe(await prefix());
  });

  it.each([
    ['provider', { provider: 'claude' }],
    ['version', { version: '0.170.0' }],
    ['platform', { platform: 'linux-x64' }],
    ['lock file', { lock: '{"a":1}' }],
    ['missing lock file', { lock: undefined }],
  ])('is another one for another %s', async (_, change) => {
    expect(await prefix(change)).not.toBe(await prefix());
  });

  it('is another one for another key, another variable, another kind of key, and another repository', async () => {
    const stateKey: SealSecret = { kind: 'state-key', name: 'state-key', value: key.value };
    const names = await Promise.all([
      prefix(),
      prefix({}, credential('sk-proj-other-key-0123456789abcdef')),
      prefix({}, credential(key.value, 'CODEX_API_KEY')),
      prefix({}, stateKey),
      prefix({}, key, '4243'),
      prefix({}, stateKey, '4243'),
    ]);
    expect(new Set(names).size).toBe(names.length);
  });

  it('does not look like the name of a checkpoint', async () => {
    expect((await prefix()).startsWith('gump-v')).toBe(false);
  });

  it('gets the next number if an entry cannot be used', () => {
    expect(nextName('x-', undefined)).toBe('x-1-');
    expect(nextName('x-', 'x-1-')).toBe('x-2-');
    expect(nextName('x-', 'x-98-')).toBe('x-99-');
    expect(nextName('x-', 'x-99-')).toBeUndefined();
    // Of another key, or by somebody else.
    for (const foreign of ['y-5-', 'x-evil-', 'x-1e3-', 'x-5']) expect(nextName('x-', foreign)).toBe('x-1-');
  });
});
