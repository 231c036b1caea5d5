/**
 * Starts Node so that other processes of the same user cannot read it. Linux makes a process non-dumpable if its user
 * may not read the program (Linux, `would_dump` in `fs/exec.c`). Then only root can read its environment and memory,
 * and open its descriptors.
 *
 * The program that counts is the one that the system starts, and that may be the dynamic loader: `ld.so node script`.
 * So a copy of the loader (200 KB) without read permission is enough, and nobody has to copy Node (120 MB). The programs
 * that the process starts are readable as usual.
 *
 * This has no effect for root, who may read everything, and does not exist outside of Linux.
 *
 * This file imports only Node modules, so that it can run before everything else.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, constants, copyFileSync, openSync, readSync, rmSync } from 'node:fs';

/**
 * Creates the copy. Throws if it cannot be used: `execve` must not fail, because Node 24 aborts the process then.
 * `env`: what the loader and Node need to start.
 */
export function copyLoader(target: string, node: string, env: Readonly<Record<string, string>>): void {
  const loader = loaderOf(node);
  if (loader === undefined) throw new Error(`\`${node}\` has no dynamic loader`);
  copyFileSync(loader, target, constants.COPYFILE_EXCL);
  chmodSync(target, 0o111);
  // Fails on a file system without programs, and if a policy of the machine forbids it.
  const tried = spawnSync(target, [node, '--version'], { env: { ...env }, timeout: 5000, encoding: 'utf8' });
  if (tried.stdout?.trim() === process.version) return;
  rmSync(target, { force: true });
  throw new Error(`the copy of \`${loader}\` does not start Node: ${tried.error?.message ?? tried.stderr}`);
}

/** Whether the user of this process can be kept from reading it. */
export function canBeUnreadable(): boolean {
  return process.platform === 'linux' && process.getuid?.() !== 0;
}

/** A program header that names the loader (`PT_INTERP` in elf(5)). */
const interpreterType = 3;

/** The loader of a 64-bit ELF program; `undefined` for all other files. */
export function loaderOf(program: string): string | undefined {
  const head = readStart(program);
  const isElf64 = head.length >= 64 && head.readUInt32BE(0) === 0x7f454c46 && head[4] === 2 && head[5] === 1;
  if (!isElf64) return undefined;
  const start = Number(head.readBigUInt64LE(32));
  const [size, count] = [head.readUInt16LE(54), head.readUInt16LE(56)];
  for (let at = start; at + size <= Math.min(head.length, start + size * count); at += size) {
    if (head.readUInt32LE(at) !== interpreterType) continue;
    const offset = Number(head.readBigUInt64LE(at + 8));
    const length = Number(head.readBigUInt64LE(at + 32));
    return head.toString('latin1', offset, offset + length - 1) || undefined;
  }
  return undefined;
}

/** All linkers put the program headers and the name of the loader at the start of the file. */
function readStart(program: string): Buffer {
  const file = openSync(program, 'r');
  try {
    const buffer = Buffer.alloc(4096);
    return buffer.subarray(0, readSync(file, buffer));
  } finally {
    closeSync(file);
  }
}
