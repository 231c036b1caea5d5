/** Whether a job may still store, judged by the newest entry that is there. Pure. */
import { parseKey } from './checkpoint-key.js';

export interface WriterIdentity {
  readonly jobAttempt: number;
  readonly writer: string;
  /** The newest key of this attempt when the job began. */
  readonly seen?: string;
}

export type FenceResult =
  /** `sequence`: the highest that is known to be used in this attempt. */
  | { readonly status: 'clear'; readonly sequence: number }
  | { readonly status: 'fenced'; readonly jobAttempt: number }
  | { readonly status: 'conflict' };

/** `found`: what a look-up by `fencePrefixes` gave. */
export function checkFence(found: string | undefined, own: WriterIdentity): FenceResult {
  const key = found === undefined ? undefined : parseKey(found);
  if (key === undefined || key.jobAttempt < own.jobAttempt) return { status: 'clear', sequence: 0 };
  if (key.jobAttempt > own.jobAttempt) return { status: 'fenced', jobAttempt: key.jobAttempt };
  const isOurs = key.writer === own.writer || found === own.seen;
  return isOurs ? { status: 'clear', sequence: key.sequence } : { status: 'conflict' };
}
