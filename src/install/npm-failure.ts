/** Why npm did not install a package, in one sentence or two; npm's own words only in short. Pure. */
import type { ProcessExit } from '../system/process.js';

/** npm's code → what it means and what to do (npm 11.19, its `lib/utils/error-message.js` and tried). */
const errorCodeMeanings: readonly (readonly [RegExp, string])[] = [
  [/^ETARGET$/, 'the registry has no such version. Look at the input cli-versions'],
  [/^E404$/, 'the registry has no such package, or does not show it without a login. Look at the .npmrc'],
  [
    /^EINTEGRITY$/,
    'what the registry delivered is not what it had announced (checksum). Nothing of it was run',
  ],
  [
    /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ECONNABORTED|ETIMEDOUT|ERR_SOCKET_TIMEOUT|EHOSTUNREACH|ENETUNREACH|E5\d\d|FETCH_ERROR)$/,
    'the registry cannot be reached. Re-run the job, or install the CLI in the image of the runner',
  ],
  [
    /^(?:E401|E403|ENEEDAUTH|EOTP)$/,
    'the registry refuses. A token for it goes into NODE_AUTH_TOKEN or NPM_TOKEN',
  ],
  [
    /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/,
    'the certificate of the registry is not trusted. Look at NODE_EXTRA_CA_CERTS',
  ],
  [/^ENOSPC$/, 'the disk of the tool cache is full'],
  [/^(?:EACCES|EPERM|EROFS)$/, 'a directory cannot be written: the tool cache, or the cache of npm'],
  [/^EBADPLATFORM$/, 'there is none for this kind of machine'],
];

/** What an error code of npm or of the file system means; `undefined` for one that is not known. */
export function explainErrorCode(code: string | undefined): string | undefined {
  return code === undefined ? undefined : errorCodeMeanings.find(([pattern]) => pattern.test(code))?.[1];
}

/** `npm error` from version 10.9 on, `npm ERR!` before. */
const errorLine = /^npm (?:error|ERR!) ?(.*)$/;

export function npmFailure(exit: ProcessExit): string {
  if (exit.reason === 'timeout') return 'npm did not end in time.';
  if (exit.reason === 'not-found') return 'npm could not be started.';
  const errorLines = exit.stderrTail.split('\n').flatMap((line) => errorLine.exec(line.trim())?.[1] ?? []);
  const code = errorLines.map((line) => /^code (\S+)$/.exec(line)?.[1]).find((found) => found !== undefined);
  const ended = exit.code === undefined ? 'npm was killed' : `npm ended with exit code ${exit.code}`;
  const why = explainErrorCode(code) ?? ended;
  const summary = summarizeOutput(errorLines, exit.stderrTail);
  return summary === '' ? `${why}.` : `${why}. npm says: ${summary}`;
}

/** The first lines that say something; without any the last line there was. */
function summarizeOutput(errorLines: readonly string[], output: string): string {
  const messages = errorLines
    .map((line) => line.trim())
    .filter((line) => /\s/.test(line) && !/^A complete log of this run/.test(line));
  const lines = messages.length > 0 ? messages.slice(0, 3) : output.trim().split('\n').slice(-1);
  return lines.join(' ').slice(0, 400);
}
