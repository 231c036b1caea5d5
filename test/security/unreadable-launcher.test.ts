import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyLoader, loaderOf } from '../../src/security/unreadable-launcher.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gump-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The start of an ELF file with one program header, which names the loader. */
function elf({ bits = 64, type = 3 } = {}): string {
  const bytes = Buffer.alloc(256);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, 1]);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt32LE(type, 64);
  bytes.writeBigUInt64LE(200n, 72);
  bytes.writeBigUInt64LE(11n, 96);
  bytes.write('/lib/ld.so\0', 200);
  const file = join(folder, 'program');
  writeFileSync(file, bytes);
  return file;
}

describe('loaderOf', () => {
  it('reads the loader of a 64-bit program', () => {
    expect(loaderOf(elf())).toBe('/lib/ld.so');
  });

  it('is undefined for a static program, a 32-bit program, a script and an empty file', () => {
    expect(loaderOf(elf({ type: 1 }))).toBeUndefined();
    expect(loaderOf(elf({ bits: 32 }))).toBeUndefined();
    for (const text of ['#!/bin/sh\n'.padEnd(500), '']) {
      writeFileSync(join(folder, 'script'), text);
      expect(loaderOf(join(folder, 'script'))).toBeUndefined();
    }
  });
});

describe.runIf(process.platform === 'linux')('copyLoader', () => {
  const target = () => join(folder, 'loader');

  it('creates a program that starts Node and that only root can read', () => {
    copyLoader(target(), process.execPath, {});
    expect(statSync(target()).mode & 0o777).toBe(0o111);
    const args = [process.execPath, '-p', '1 + 1'];
    expect(execFileSync(target(), args, { encoding: 'utf8' })).toBe('2\n');
  });

  it('throws and leaves nothing if the copy does not start Node', () => {
    const other = join(folder, 'node');
    writeFileSync(other, '#!/bin/sh\necho v0.0.0\n');
    chmodSync(other, 0o755);
    expect(() => copyLoader(target(), other, {})).toThrow(/has no dynamic loader/);
    expect(() => copyLoader(target(), '/bin/true', {})).toThrow(/does not start Node/);
    expect(readdirSync(folder)).toEqual(['node']);
  });
});
