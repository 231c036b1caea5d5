/**
 * The last line of the annotation of a run that waits. The action in `resume/` reads it through GitHub's API: why the
 * run stopped, when a re-run continues, and what the run had achieved. Pure.
 *
 * A stored form: annotations stay at GitHub, so a later version must read those of this one. A reader ignores keys that
 * it does not know, and a line of a newer version.
 */

/** `limit`: a usage limit. `time`: `max-time` is over. `cancelled`: the job was cancelled, by whomever. */
export const resumeReasons = ['limit', 'time', 'cancelled'] as const;

export type ResumeReason = (typeof resumeReasons)[number];

export interface ResumeMark {
  readonly reason: ResumeReason;
  /** When a re-run continues the run, in milliseconds since 1970. Whole seconds. */
  readonly at: number;
  /**
   * 16 hexadecimal digits, a hash of what the run has achieved (`run-progress.ts`). Two job attempts in a row with the
   * same value made no progress.
   */
  readonly progress: string;
}

const prefix = 'gump-resume: ';
const version = 1;

/** One line, without a line end. */
export function writeResumeMark({ reason, at, progress }: ResumeMark): string {
  return `${prefix}${JSON.stringify({ v: version, reason, at: formatInstant(at), progress })}`;
}

/** The mark in the last line of an annotation's message. `undefined` if that line is none, or has another version. */
export function readResumeMark(message: string): ResumeMark | undefined {
  const line = message.trimEnd().split(/\r?\n/).at(-1)?.trim() ?? '';
  if (!line.startsWith(prefix)) return undefined;
  const fields = parseObject(line.slice(prefix.length));
  if (fields === undefined || fields.v !== version) return undefined;
  const reason = resumeReasons.find((one) => one === fields.reason);
  const at = typeof fields.at === 'string' ? readInstant(fields.at) : undefined;
  const { progress } = fields;
  if (reason === undefined || at === undefined) return undefined;
  if (typeof progress !== 'string' || !/^[0-9a-f]{16}$/.test(progress)) return undefined;
  return { reason, at, progress };
}

/** The title of the annotation. `at` in milliseconds since 1970. */
export function resumeTitle(at: number): string {
  return `${resumeTitlePrefix}${formatInstant(at)}`;
}

/** What the titles of these annotations begin with. */
export const resumeTitlePrefix = 'gump: resume at ';

/** A moment in milliseconds since 1970, as RFC 3339 in UTC with whole seconds, rounded up: `2026-11-28T18:00:00Z`. */
export function formatInstant(at: number): string {
  return `${new Date(Math.ceil(at / 1000) * 1000).toISOString().slice(0, -5)}Z`;
}

function readInstant(text: string): number | undefined {
  const isInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text);
  const at = isInstant ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
