import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  attemptPrefixes,
  type CheckpointKey,
  fencePrefixes,
  formatKey,
  hashStateName,
  lowerSequencePrefixes,
  newWriter,
  parseKey,
} from '../../src/checkpoint/checkpoint-key.js';
import { deriveStateName, formerStateName } from '../../src/checkpoint/state-name.js';
import { holds } from '../fakes/holds.js';

const scope = { stateName: 'build', runId: '1001' };
const stem = `gump-v1-${hashStateName('build')}-1001-`;

const keys: fc.Arbitrary<CheckpointKey> = fc.record({
  stateHash: fc.string().map(hashStateName),
  runId: fc.bigInt({ min: 1n, max: 99_999_999_999n }).map(String),
  jobAttempt: fc.integer({ min: 1, max: 60 }),
  sequence: fc.integer({ min: 1, max: 999_999 }),
  writer: fc.constant(0).map(newWriter),
});

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

  it.each([
    'gump-v2-00000000000000000000-1-a1-s000001-00000000-',
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
    const key = { stateHash: hashStateName('x'), runId: '1', jobAttempt: 1, writer: '00000000' };
    expect(() => formatKey({ ...key, sequence: 1_000_000 })).toThrow(RangeError);
    expect(() => formatKey({ ...key, sequence: 0 })).toThrow(RangeError);
  });
});

describe('look-ups', () => {
  it('list job attempts in descending order', () => {
    expect(attemptPrefixes(scope, 3)).toEqual([`${stem}a3-`, `${stem}a2-`, `${stem}a1-`]);
    expect(attemptPrefixes(scope, 12)).toHaveLength(12);
  });

  it('list later job attempts before this one, in one request', () => {
    const prefixes = fencePrefixes(scope, 2);
    expect(prefixes).toHaveLength(10);
    expect(prefixes[0]).toBe(`${stem}a3-`);
    expect(prefixes.slice(-2)).toEqual([`${stem}a2-`, `${stem}a`]);
  });

  it('cover all lower sequences of a job attempt, the highest first', () => {
    expect(lowerSequencePrefixes(scope, 2, 3)).toEqual(
      ['000002-', '000001-', '000000-'].map((end) => `${stem}a2-s${end}`),
    );
    expect(lowerSequencePrefixes(scope, 2, 21)).toEqual(
      ['000020-', '00001', '00000'].map((end) => `${stem}a2-s${end}`),
    );
    expect(lowerSequencePrefixes(scope, 1, 1_000_000)).toHaveLength(10);
    const sequence = fc.integer({ min: 1, max: 999_999 });
    holds(
      fc.property(sequence, sequence, (limit, other) => {
        const key = formatKey({
          ...{ stateHash: hashStateName('build'), runId: '1001', jobAttempt: 2 },
          ...{ sequence: other, writer: '00c0ffee' },
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
