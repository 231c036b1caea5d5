import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  attemptPrefixes,
  type CheckpointKey,
  fencePrefixes,
  formatKey,
  hashStateName,
  lowerSequencePrefixes,
  maxKeysPerRequest,
  newestPrefixes,
  newWriter,
  parseKey,
} from '../../src/checkpoint/checkpoint-key.js';
import { deriveStateName, formerStateName } from '../../src/checkpoint/state-name.js';
import { holds } from '../fakes/holds.js';

const scope = { stateName: 'build', runId: '1001' };
const [stem, formerStem] = [2, 1].map((version) => `gump-v${version}-${hashStateName('build')}-1001-`);

/** Of both versions: only those of version 1 have a writer. */
const keys: fc.Arbitrary<CheckpointKey> = fc.record(
  {
    stateHash: fc.string().map(hashStateName),
    runId: fc.bigInt({ min: 1n, max: 99_999_999_999n }).map(String),
    jobAttempt: fc.integer({ min: 1, max: 60 }),
    sequence: fc.integer({ min: 1, max: 999_999 }),
    writer: fc.constant(0).map(newWriter),
  },
  { requiredKeys: ['stateHash', 'runId', 'jobAttempt', 'sequence'] },
);

describe('a key', () => {
  it('is parsed as it was written', () => {
    holds(
      fc.property(keys, (key) => {
        expect(parseKey(formatKey(key))).toEqual(key);
      }),
    );
  });

  it('is accepted by the cache, and no other key is a prefix of it', () => {
    holds(
      fc.property(keys, keys, (first, second) => {
        const [one, other] = [formatKey(first), formatKey(second)];
        expect(one).toMatch(/^[a-z0-9-]{1,512}$/);
        if (one !== other) expect(one.startsWith(other)).toBe(false);
      }),
    );
  });

  it('of version 0.1.0 is still read', () => {
    expect(parseKey('gump-v1-0123456789abcdef0123-1001-a2-s000007-00c0ffee-')).toEqual({
      ...{ stateHash: '0123456789abcdef0123', runId: '1001', jobAttempt: 2, sequence: 7 },
      writer: '00c0ffee',
    });
  });

  it.each([
    'gump-v3-00000000000000000000-1-a1-s000001-',
    'gump-v2-00000000000000000000-1-a1-s000001-00000000-',
    'gump-v2-00000000000000000000-1-a1-s000001',
    'gump-v2-00000000000000000000-1-a1-s000000-',
    'gump-v1-00000000000000000000-1-a1-s000001-',
    'gump-v1-00000000000000000000-1-a1-s000001-00000000',
    'gump-v1-00000000000000000000-1-a0-s000001-00000000-',
    'gump-v1-00000000000000000000-1-a1-s000000-00000000-',
    'gump-v1-00000000000000000000-1-a1-s000001-00000000-/../x',
    'gump-v1-00000000000000000000-1-a1-s1-00000000-',
    '',
  ])('is never %s', (text) => {
    expect(parseKey(text)).toBeUndefined();
  });

  it('has a sequence of exactly six digits', () => {
    const key = { stateHash: hashStateName('x'), runId: '1', jobAttempt: 1 };
    expect(() => formatKey({ ...key, sequence: 1_000_000 })).toThrow(RangeError);
    expect(() => formatKey({ ...key, sequence: 0 })).toThrow(RangeError);
  });
});

describe('look-ups', () => {
  it('list job attempts in descending order', () => {
    expect(attemptPrefixes(scope, 3)).toEqual(
      ['a3-', 'a2-', 'a1-'].flatMap((end) => [`${stem}${end}`, `${formerStem}${end}`]),
    );
    expect(attemptPrefixes(scope, 5)).toHaveLength(maxKeysPerRequest);
  });

  it('list later job attempts before this one, in one request', () => {
    const prefixes = fencePrefixes(scope, 2);
    expect(prefixes).toHaveLength(10);
    expect(prefixes[0]).toBe(`${stem}a3-`);
    expect(prefixes.slice(-2)).toEqual([`${stem}a2-`, `${stem}a`]);
    expect(newestPrefixes(scope, 2)).toHaveLength(10);
    expect(newestPrefixes(scope, 2).slice(5)).toEqual([`${stem}a8-`, ...attemptPrefixes(scope, 2)]);
    expect(newestPrefixes(scope, 9)).toEqual([`${stem}a10-`, `${stem}a11-`, ...attemptPrefixes(scope, 9)]);
  });

  it('cover all lower sequences of a job attempt, the highest first', () => {
    expect(lowerSequencePrefixes(scope, 2, 3)).toEqual(
      ['000002-', '000001-', '000000-'].map((end) => `${stem}a2-s${end}`),
    );
    expect(lowerSequencePrefixes(scope, 2, 21)).toEqual(
      ['000020-', '00001', '00000'].map((end) => `${stem}a2-s${end}`),
    );
    expect(lowerSequencePrefixes(scope, 1, 1_000_000)).toHaveLength(10);
    expect(lowerSequencePrefixes(scope, 2, 2, 1)).toEqual(
      ['000001-', '000000-'].map((end) => `${formerStem}a2-s${end}`),
    );
    const sequence = fc.integer({ min: 1, max: 999_999 });
    holds(
      fc.property(sequence, sequence, (limit, other) => {
        const key = formatKey({
          ...{ stateHash: hashStateName('build'), runId: '1001', jobAttempt: 2 },
          sequence: other,
        });
        const covering = lowerSequencePrefixes(scope, 2, limit).filter((one) => key.startsWith(one));
        expect(covering).toHaveLength(other < limit ? 1 : 0);
      }),
    );
  });
});

describe('the derived state name', () => {
  const place = {
    workflowRef: 'o/r/.github/workflows/ci.yml@refs/heads/main',
    jobId: 'agent',
    actionId: '__gump',
    workflowFile: 'tdd',
    matrix: { os: 'linux', node: [20, 22] },
    call: {},
  };

  it('is the same for the same job, in any order of the matrix values', () => {
    expect(deriveStateName({ ...place, matrix: { node: [20, 22], os: 'linux' } })).toBe(
      deriveStateName(place),
    );
  });

  it.each([
    { workflowRef: 'o/r/.github/workflows/ci.yml@refs/heads/dev' },
    { jobId: 'other' },
    { actionId: '__gump_2' },
    { workflowFile: 'other' },
    { matrix: { os: 'macos', node: [20, 22] } },
    { matrix: { os: 'linux', node: [22, 20] } },
    { matrix: null },
    { call: { spec: 'Fix the login' } },
    { call: { vars: { package: 'a' } } },
    { call: { workingDirectory: 'packages/a' } },
  ])('is different for %o', (change) => {
    expect(deriveStateName({ ...place, ...change })).not.toBe(deriveStateName(place));
  });

  it('differs for two calls of one reusable workflow, and shows none of their inputs', () => {
    const [a, b] = ['alpha', 'beta'].map((text) =>
      deriveStateName({ ...place, call: { spec: text, vars: { x: text } } }),
    );
    expect(a).not.toBe(b);
    expect(a).not.toContain('alpha');
  });

  it('is the one of version 0.1.0 without such inputs, and that one is known with them', () => {
    const former =
      '["o/r/.github/workflows/ci.yml@refs/heads/main","agent","__gump","tdd",{"node":[20,22],"os":"linux"}]';
    expect(deriveStateName(place)).toBe(former);
    expect(formerStateName(place)).toBeUndefined();
    expect(formerStateName({ ...place, call: { spec: 'x' } })).toBe(former);
  });
});
