/**
 * Some space on the disk that is given back when the disk is full, so that the end of a run can still be recorded:
 * what the agent spent, the report and the outputs.
 */
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface DiskReserve {
  /** Does the work again with the reserve if the disk is full. */
  use<T>(work: () => T): T;
  /** Gives the space back. */
  release(): void;
}

const reserveBytes = 2 * 1024 * 1024;

/** `onFull` is called once, when the disk turned out to be full. */
export function openDiskReserve(directory: string, onFull: (error: Error) => void): DiskReserve {
  const file = join(directory, 'reserve');
  let isReported = false;
  try {
    // Not zeros: some file systems store no space for them.
    writeFileSync(file, Buffer.alloc(reserveBytes, 'gump'), { mode: 0o600 });
  } catch (error) {
    rmSync(file, { force: true });
    if (!isDiskFull(error)) throw error;
  }
  const release = (): void => rmSync(file, { force: true });
  return {
    release,
    use(work) {
      try {
        return work();
      } catch (error) {
        if (!isDiskFull(error)) throw error;
        release();
        const result = work();
        if (!isReported) onFull(error);
        isReported = true;
        return result;
      }
    },
  };
}

/** Whether almost nothing fits on the disk of a directory. A program such as git may have no space for its reason. */
export function hasFullDisk(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize < 64 * 1024;
  } catch {
    return false;
  }
}

/** Also for the messages of programs such as git. */
export function isDiskFull(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return (
    code === 'ENOSPC' ||
    code === 'EDQUOT' ||
    /no space left on device|disk quota exceeded/i.test(error.message) ||
    isDiskFull(error.cause)
  );
}
