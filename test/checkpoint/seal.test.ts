import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Binding, encodeBinding, formerKeyOf, keyOf } from '../../src/checkpoint/binding.js';
import { open, readBinding, seal } from '../../src/checkpoint/seal.js';
import { binding, credential, expectedOf, stateKey } from './sample.js';

const payload = Buffer.from('what the run knows');
const expected = expectedOf(binding);

function flipped(sealed: Buffer, at: number, mask: number): Buffer {
  const changed = Buffer.from(sealed);
  changed[at] = (changed[at] ?? 0) ^ mask;
  return changed;
}

/** The parts of the header as they are in the file. */
function parts(sealed: Buffer): {
  readonly prelude: Buffer;
  readonly binding: Buffer;
  readonly slots: Buffer;
  readonly rest: Buffer;
} {
  const bindingEnd = 16 + sealed.readUInt32BE(12);
  const slotsEnd = bindingEnd + 4 + sealed.readUInt32BE(bindingEnd);
  return {
    prelude: sealed.subarray(0, 12),
    binding: sealed.subarray(12, bindingEnd),
    slots: sealed.subarray(bindingEnd, slotsEnd),
    rest: sealed.subarray(slotsEnd),
  };
}

function join(pieces: ReturnType<typeof parts>): Buffer {
  return Buffer.concat([pieces.prelude, pieces.binding, pieces.slots, pieces.rest]);
}

describe('sealing and opening', () => {
  it.each([0, 1, 1000, 40_000_000])('returns a payload of %i bytes and its binding', (size) => {
    const bytes = randomBytes(size);
    const opened = open(seal(bytes, binding, [stateKey]), [stateKey], expected);
    if (opened.status !== 'opened') throw new Error(opened.reason);
    expect(opened.payload.equals(bytes)).toBe(true);
    expect(opened.binding).toEqual(binding);
  });

  it('contains neither payload nor secret as plain text', () => {
    const sealed = seal(payload, binding, [stateKey]);
    expect(sealed.includes(payload)).toBe(false);
    expect(sealed.includes(stateKey.value)).toBe(false);
    expect(sealed.includes(Buffer.from(stateKey.value).toString('base64').slice(4, -4))).toBe(false);
  });

  it('never gives the same bytes twice', () => {
    const [first, second] = [
      parts(seal(payload, binding, [stateKey])),
      parts(seal(payload, binding, [stateKey])),
    ];
    expect(first.slots.equals(second.slots)).toBe(false);
    expect(first.rest.equals(second.rest)).toBe(false);
  });

  it('needs a secret', () => {
    expect(() => seal(payload, binding, [])).toThrow('without a secret');
  });
});

describe('a changed file', () => {
  it('is refused for any changed bit', () => {
    // Not a state key, because every changed salt would take the time of scrypt.
    const key = credential('ANTHROPIC_API_KEY', 'sk-ant-0123456789abcdef');
    const sealed = seal(payload, binding, [key, credential('OPENAI_API_KEY', 'sk-proj-0123456789abcdef')]);
    for (let at = 0; at < sealed.length; at += 1) {
      for (const mask of [0x01, 0x20, 0x80]) {
        expect(open(flipped(sealed, at, mask), [key], expected).status, `byte ${at}`).toBe('refused');
      }
    }
  });

  it('is refused if it is large', () => {
    const sealed = seal(randomBytes(300_000), binding, [stateKey]);
    for (let at = 0; at < sealed.length; at += 2999) {
      expect(open(flipped(sealed, at, 0x01), [stateKey], expected).status, `byte ${at}`).toBe('refused');
    }
  });

  it('is refused if it is truncated or has extra bytes', () => {
    const sealed = seal(payload, binding, [stateKey]);
    for (let length = 0; length < sealed.length; length += 1) {
      expect(open(sealed.subarray(0, length), [stateKey], expected).status, `${length} bytes`).toBe(
        'refused',
      );
    }
    expect(open(Buffer.concat([sealed, Buffer.alloc(1)]), [stateKey], expected)).toEqual({
      status: 'refused',
      reason: 'altered',
    });
  });

  it('is refused if it combines parts of two files', () => {
    const first = parts(seal(payload, binding, [stateKey]));
    const second = parts(seal(payload, { ...binding, sequence: 8 }, [stateKey]));
    const mixes = [
      { ...first, binding: second.binding },
      { ...first, slots: second.slots },
      { ...first, rest: second.rest },
      { ...second, rest: first.rest },
      { ...first, slots: second.slots, rest: second.rest },
    ];
    for (const mix of mixes) {
      for (const sequence of [7, 8]) {
        const place = expectedOf({ ...binding, sequence });
        expect(open(join(mix), [stateKey], place).status).toBe('refused');
      }
    }
    expect(open(join(first), [stateKey], expected).status).toBe('opened');
  });

  it('is refused with the reason', () => {
    const sealed = seal(payload, binding, [stateKey]);
    const newer = Buffer.from(sealed);
    newer.writeUInt32BE(3, 8);
    expect(open(Buffer.from('PK..'), [stateKey], expected)).toMatchObject({ reason: 'not-a-checkpoint' });
    expect(open(newer, [stateKey], expected)).toMatchObject({ reason: 'other-format' });
  });
});

describe('the binding', () => {
  const foreign: readonly (readonly [Partial<Binding>, string])[] = [
    [{ repositoryId: '43' }, 'other-repository'],
    [{ runId: '1002' }, 'other-run'],
    [{ stateName: 'other' }, 'other-state'],
    [{ ref: 'refs/heads/main' }, 'other-ref'],
    [{ trust: 'fork' }, 'other-trust'],
    [{ jobAttempt: 1 }, 'key-mismatch'],
    [{ sequence: 8 }, 'key-mismatch'],
  ];

  it.each(foreign)('refuses %o as %s', (change, reason) => {
    const sealed = seal(payload, { ...binding, ...change }, [stateKey]);
    expect(open(sealed, [stateKey], expected)).toEqual({ status: 'refused', reason });
    expect(open(sealed, [stateKey], expectedOf({ ...binding, ...change })).status).toBe('opened');
  });

  it('includes the writer, which is in the key of version 0.1.0', () => {
    const former = { ...expected, key: formerKeyOf(binding) };
    expect(open(seal(payload, binding, [stateKey]), [stateKey], former).status).toBe('opened');
    const other = seal(payload, { ...binding, writer: '0badf00d' }, [stateKey]);
    expect(open(other, [stateKey], former)).toEqual({ status: 'refused', reason: 'key-mismatch' });
  });

  it('can be read without a secret', () => {
    expect(readBinding(seal(payload, binding, [stateKey]))).toEqual(binding);
    for (const bytes of ['', 'PK..', 'GUMPSEAL']) expect(readBinding(Buffer.from(bytes))).toBeUndefined();
  });

  it.each([...foreign, [{ writer: '0badf00d' }, ''] as const])(
    'cannot be rewritten in the file: %o',
    (change) => {
      const pieces = parts(seal(payload, { ...binding, ...change }, [stateKey]));
      const text = encodeBinding(binding);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(text.length);
      const forged = join({ ...pieces, binding: Buffer.concat([length, text]) });
      expect(open(forged, [stateKey], expected)).toMatchObject({ status: 'refused', reason: 'no-key-fits' });
    },
  );

  it('includes the key under which the file is stored', () => {
    expect(keyOf(binding)).toMatch(/^gump-v2-[0-9a-f]{20}-1001-a2-s000007-$/);
  });
});

describe('the secrets', () => {
  const anthropic = credential('ANTHROPIC_API_KEY', 'sk-ant-0123456789abcdef');
  const openai = credential('OPENAI_API_KEY', 'sk-proj-0123456789abcdef');
  const sealed = seal(payload, binding, [anthropic, openai]);

  it('open the file if one of them was rotated, removed or added', () => {
    const rotated = credential('ANTHROPIC_API_KEY', 'sk-ant-another-0123456789');
    const added = credential('GEMINI_API_KEY', 'AIza-0123456789-0123456789');
    for (const secrets of [[rotated, openai], [openai], [anthropic], [added, rotated, openai]]) {
      expect(open(sealed, secrets, expected).status).toBe('opened');
    }
    expect(open(sealed, [rotated, added], expected)).toMatchObject({
      status: 'refused',
      reason: 'no-key-fits',
    });
    expect(open(sealed, [], expected)).toMatchObject({ status: 'refused', reason: 'no-key-fits' });
  });

  it('open it as a line of `state-key` if one of them was a provider’s key', () => {
    const line = { kind: 'state-key', name: 'state-key', value: openai.value } as const;
    expect(open(sealed, [stateKey, line], expected)).toMatchObject({ status: 'opened', payload });
  });

  it('of version 0.1.0 still open what it sealed', () => {
    const read = (name: string) =>
      readFileSync(fileURLToPath(new URL(`../fixtures/seal-v1/${name}.sealed`, import.meta.url)));
    const key = credential('ANTHROPIC_API_KEY', 'sk-ant-api03-Zt5Wq8Lm2Xv7Kb4Rn9Hs');
    const opened = { status: 'opened', payload: Buffer.from('sealed by version 0.1.0') };
    expect(open(read('state-key'), [stateKey], expected)).toMatchObject(opened);
    expect(open(read('credential'), [key], expected)).toMatchObject(opened);
    expect(open(read('credential'), [{ ...stateKey, value: key.value }], expected)).toMatchObject(opened);
  });

  it('of a `state-key` go through scrypt, with one salt for all that this process seals', () => {
    const slotsOf = (sealed: Buffer) =>
      JSON.parse(parts(sealed).slots.subarray(4).toString()) as readonly Record<string, string>[];
    const more = { ...stateKey, value: 'another state key of enough length' };
    const slots = [seal(payload, binding, [stateKey, more]), seal(payload, binding, [stateKey])].flatMap(
      slotsOf,
    );
    expect(new Set(slots.map(({ scrypt }) => scrypt)).size).toBe(1);
    expect(new Set(slots.map(({ salt }) => salt)).size).toBe(3);
    expect(slotsOf(sealed).every((slot) => slot.scrypt === undefined)).toBe(true);
  });

  it('are not tried on slots with many salts for scrypt', () => {
    const one = seal(payload, binding, [stateKey]);
    const slots = JSON.parse(parts(one).slots.subarray(4).toString()) as readonly Record<string, string>[];
    const forged = Array.from({ length: 60 }, () => ({
      ...slots[0],
      scrypt: randomBytes(32).toString('base64'),
    }));
    const text = Buffer.from(JSON.stringify(forged));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    const pieces = parts(one);
    const file = Buffer.concat([pieces.prelude, pieces.binding, length, text, pieces.rest]);
    expect(open(file, [stateKey], expected)).toMatchObject({ status: 'refused', reason: 'no-key-fits' });
  });

  it('are bound to their variable and their kind', () => {
    expect(open(sealed, [credential('OPENAI_API_KEY', anthropic.value)], expected).status).toBe('refused');
    const files = seal(payload, binding, [{ ...anthropic, kind: 'key-file' }]);
    expect(open(files, [anthropic], expected).status).toBe('refused');
    const own = seal(payload, binding, [{ ...anthropic, kind: 'state-key', name: 'state-key' }]);
    expect(open(own, [anthropic], expected).status).toBe('refused');
  });

  it('may have the same name: any line of a state key opens the file', () => {
    const former = { ...stateKey, value: 'the former state key of enough length' };
    expect(open(seal(payload, binding, [former]), [stateKey, former], expected).status).toBe('opened');
    expect(open(seal(payload, binding, [stateKey, former]), [former], expected).status).toBe('opened');
  });

  it('do not open a slot that was renamed', () => {
    const pieces = parts(seal(payload, binding, [anthropic]));
    const renamed = Buffer.from(pieces.slots.toString('latin1').replace('ANTHROPIC', 'ANTHROPIX'), 'latin1');
    const forged = join({ ...pieces, slots: renamed });
    expect(open(forged, [credential('ANTHROPIX_API_KEY', anthropic.value)], expected).status).toBe('refused');
  });
});
