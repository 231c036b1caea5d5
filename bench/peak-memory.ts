/** The peak of the memory of the action's own processes, without programs that they start. Linux: it is in /proc. */
import { readFileSync } from 'node:fs';
import type { Machine } from '../test/rig/machine.js';

const findMs = 250;
/** The kernel keeps the peak, so what counts is only to read it shortly before the process ends. */
const readMs = 20;

export interface PeakMemory {
  /** Ends the watch. The largest peak, in MB. */
  end(): number;
}

export function watchPeakMemory(machine: Machine): PeakMemory {
  let peak = 0;
  let own: readonly number[] = [];
  const find = async (): Promise<void> => {
    own = (await machine.processes()).filter(isAction);
  };
  const finding = setInterval(() => void find(), findMs);
  const reading = setInterval(() => {
    for (const pid of own) peak = Math.max(peak, peakOf(pid));
  }, readMs);
  return {
    end() {
      clearInterval(finding);
      clearInterval(reading);
      return peak;
    },
  };
}

function isAction(pid: number): boolean {
  return /dist\/(?:index|post)\.js/.test(readOrNothing(`/proc/${pid}/cmdline`));
}

function peakOf(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readOrNothing(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

/** The process may have ended. */
function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
