/** The limits of a session that a later run resumes. */
import { readDuration } from '../workflow/duration.js';
import { notAllowed } from './quote.js';

const dayMs = 24 * 3_600_000;

/** Tokens; 0: no limit. */
export function readMaxResumeTokens(text: string): number {
  if (text === '') return 150_000;
  const tokens = /^\d{1,9}$/.test(text.replaceAll('_', '')) ? Number(text.replaceAll('_', '')) : undefined;
  if (tokens !== undefined) return tokens;
  throw notAllowed(
    'max-resume-tokens',
    text,
    'Give a number of tokens, such as `150000`, or `0` for no limit.',
  );
}

/** In milliseconds. */
export function readMaxSessionAge(text: string): number {
  if (text === '') return 14 * dayMs;
  const days = /^(\d{1,3})d$/.exec(text)?.[1];
  const ms = days === undefined ? readDuration(text) : Number(days) * dayMs;
  if (ms !== undefined && ms > 0) return ms;
  throw notAllowed('max-session-age', text, 'Give a duration, such as `14d` or `12h`.');
}
