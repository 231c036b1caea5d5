/** Appends to a file all or nothing: a part of a line would make everything after it unreadable. */
import { fstatSync, ftruncateSync, writeSync } from 'node:fs';

/** Throws if the disk is full. The file then has its earlier length. */
export function appendWhole(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  const { size } = fstatSync(descriptor);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
  } catch (error) {
    ftruncateSync(descriptor, size);
    throw error;
  }
}
