/** Decides whether a job may still store, based on the newest stored entry. Pure. */
import { parseKey } from './checkpoint-key.js';

export interface WriterIdentity {
  readonly jobAttempt: number;
  readonly writer: string;
  /** The newest key of this job attempt when the job started. */
  readonly seen?: string;
}

export type FenceResult =
  /** `sequence`: the highest known sequence of this job attempt. */
  | { readonly status: 'clear'; readonly sequence: number }
  | { readonly status: 'fenced'; readonly jobAttempt: number }
  | { readonly status: 'conflict' };

/** `found`: the result of a look-up with `fencePrefixes`. */
export function checkFence(found: string | undefined, own: WriterIdentity): FenceResult {
  const key = found === undefined ? undefined : parseKey(found);
  if (key === undefined || key.jobAttempt < own.jobAttempt) return { status: 'clear', sequence: 0 };
  if (key.jobAttempt > own.jobAttempt) return { status: 'fenced', jobAttempt: key.jobAttempt };
  const isOurs = key.writer === own.writer || found === own.seen;
  return isOurs ? { status: 'clear', sequence: key.sequence } : { status: 'conflict' };
}
