/** Why npm did not install a package, in a few sentences with the start of npm's own output. Pure. */
import type { ProcessExit } from '../system/process.js';

/** npm's error code → what it means and what to do (tested with npm 11.19; see its `lib/utils/error-message.js`). */
const errorCodeMeanings: readonly (readonly [RegExp, string])[] = [
  [/^ETARGET$/, 'the registry has no such version. Check the input `cli-versions`'],
  [/^E404$/, 'the registry has no such package, or requires a login for it. Check `.npmrc`'],
  [/^EINTEGRITY$/, 'the download does not match its checksum, so nothing was run. Re-run the job'],
  [
    /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ECONNABORTED|ETIMEDOUT|ERR_SOCKET_TIMEOUT|EHOSTUNREACH|ENETUNREACH|E5\d\d|FETCH_ERROR)$/,
    'the registry cannot be reached. Re-run the job, or add the CLI to the image of the runner',
  ],
  [
    /^(?:E401|E403|ENEEDAUTH|EOTP)$/,
    'the registry rejected the request. Set `NODE_AUTH_TOKEN` or `NPM_TOKEN`',
  ],
  [
    /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/,
    'the certificate of the registry is not trusted. Set `NODE_EXTRA_CA_CERTS`',
  ],
  [/^ENOSPC$/, 'the disk of the tool cache is full. Delete old versions below `gump-clis`'],
  [
    /^(?:EACCES|EPERM|EROFS)$/,
    'a directory cannot be written: the tool cache or the npm cache. Change its owner',
  ],
  [/^EBADPLATFORM$/, 'the package does not support this kind of machine. Use another runner'],
];

/** What an error code of npm or of the file system means; `undefined` if the code is unknown. */
export function explainErrorCode(code: string | undefined): string | undefined {
  return code === undefined ? undefined : errorCodeMeanings.find(([pattern]) => pattern.test(code))?.[1];
}

/** `npm error` since version 10.9, `npm ERR!` before. */
const errorLine = /^npm (?:error|ERR!) ?(.*)$/;

export function npmFailure(exit: ProcessExit): string {
  if (exit.reason === 'timeout') return 'npm reached the time limit. Re-run the job.';
  if (exit.reason === 'not-found') return 'npm could not be started. Check PATH.';
  const errorLines = exit.stderrTail.split('\n').flatMap((line) => errorLine.exec(line.trim())?.[1] ?? []);
  const code = errorLines.map((line) => /^code (\S+)$/.exec(line)?.[1]).find((found) => found !== undefined);
  const ended = exit.code === undefined ? 'npm was killed' : `npm ended with exit code ${exit.code}`;
  const reason = explainErrorCode(code) ?? ended;
  const summary = summarizeOutput(errorLines, exit.stderrTail);
  return summary === '' ? `${reason}.` : `${reason}. npm reported: ${summary}`;
}

/** The first lines with a message, or the last line if there are none. */
function summarizeOutput(errorLines: readonly string[], output: string): string {
  const messages = errorLines
    .map((line) => line.trim())
    .filter((line) => /\s/.test(line) && !/^A complete log of this run/.test(line));
  const lines = messages.length > 0 ? messages.slice(0, 3) : output.trim().split('\n').slice(-1);
  return lines.join(' ').slice(0, 400);
}
