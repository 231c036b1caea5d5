/**
 * The log of the job: our own lines, annotations and groups, and the text of agents and gates.
 *
 * LOG1 Control characters are removed from every text, then the redactor reads it, and only then it is truncated.
 * LOG2 Text of others is printed only while the runner accepts no commands (`::stop-commands::` with a token that
 *      is used once). Each of its line ends is known to the log, so no line escapes the check for commands.
 * LOG3 The log prints none of its own commands while the runner accepts none.
 * LOG4 Every line of others starts with a visible mark and looks like no compiler message (`foreign-line.ts`), so that
 *      the problem matchers of the job make no annotations of it.
 */
import { randomBytes } from 'node:crypto';
import type { Redactor } from '../security/redact.js';
import { foreignLine, withoutMatches } from './foreign-line.js';
import {
  type Annotation,
  type AnnotationLocation,
  annotation,
  command,
  couldBeCommand,
} from './workflow-commands.js';

export interface Log {
  /** A line of the action itself. It may quote names and values of others. */
  info(text: string): void;
  /** Printed only if debug logging is on. */
  debug(text: string): void;
  notice(message: string, location?: AnnotationLocation): void;
  warning(message: string, location?: AnnotationLocation): void;
  /**
   * `lastLine` is for programs: it follows everything else, also the address of the documentation. GitHub cuts the end
   * of a long message, so the message is cut before it.
   */
  error(message: string, location?: AnnotationLocation, lastLine?: string): void;
  /** Starts a group that people can collapse, and ends an open one: the runner does not nest groups. */
  group(title: string): void;
  endGroup(): void;
  /** Text of an agent or a gate; may have several lines. */
  untrusted(text: string): void;
  /** Makes the runner hide this value in everything that this job prints from now on. */
  mask(secret: string): void;
  /** Resolves when the log can take more. `undefined` if it can now. Whoever prints very much must wait for it. */
  whenDrained(): Promise<void> | undefined;
  /** Makes the runner accept commands again. Call it before other code prints, and at the end. */
  close(): void;
}

export interface LogOptions {
  /** Writes to the standard output of the step. */
  write(text: string): void;
  /** Resolves when what was written has been read, if too much of it waits. By default, nothing ever waits. */
  whenDrained?(): Promise<void> | undefined;
  readonly redact: Redactor;
  /** RUNNER_DEBUG=1. */
  readonly isDebug: boolean;
  /** The address of the documentation of an error. */
  helpFor?(message: string): string | undefined;
  /** Returns a new unguessable word for each call. */
  newToken?(): string;
}

/** GitHub keeps 4,096 characters of an annotation (actions/runner, `_maxIssueMessageLength`). Some are left for masks. */
const maxAnnotationLength = 4000;

/** Longer lines are truncated in the log, in characters. Stored texts are complete. */
const maxLineLength = 2000;

/**
 * The present standard output of this process. It still works while `process.stdout.write` is temporarily
 * replaced.
 */
export function standardOutput(): Required<Pick<LogOptions, 'write' | 'whenDrained'>> {
  const { stdout } = process;
  const write = stdout.write.bind(stdout);
  let waiting: Promise<void> | undefined;
  return {
    write(text) {
      write(text);
    },
    whenDrained() {
      if (!stdout.writableNeedDrain) return undefined;
      waiting ??= new Promise((resolve) => {
        stdout.once('drain', () => {
          waiting = undefined;
          resolve();
        });
      });
      return waiting;
    },
  };
}

export function createLog(options: LogOptions): Log {
  const { write, redact, isDebug, newToken = () => randomBytes(16).toString('hex') } = options;
  let stopToken: string | undefined;
  let isInGroup = false;

  const close = () => {
    if (stopToken !== undefined) write(command(stopToken));
    stopToken = undefined;
  };
  const print = (text: string) => {
    close();
    write(text);
  };
  const untrusted = (text: string) => {
    if (stopToken === undefined) {
      stopToken = newToken();
      write(command('stop-commands', stopToken));
    }
    const lines = redact(stripControlCharacters(text)).split('\n');
    // One write: each write that has to wait takes much more memory than a short line.
    write(lines.map((line) => `${foreignLine(truncateLine(line))}\n`).join(''));
  };
  const annotate = (kind: Annotation) => (message: string, location?: AnnotationLocation) =>
    print(
      annotation(kind, redact(stripControlCharacters(message)), location && redactLocation(location, redact)),
    );
  const endGroup = () => {
    if (isInGroup) print(command('endgroup'));
    isInGroup = false;
  };

  return {
    info(text) {
      const clean = redact(stripControlCharacters(text));
      const [first = '', ...more] = clean.split('\n');
      if ([first, ...more].some(couldBeCommand)) untrusted(clean);
      // Only the first line certainly starts with our own words.
      else print(`${[withoutMatches(first), ...more.map(foreignLine)].join('\n')}\n`);
    },
    debug(text) {
      if (isDebug) print(command('debug', redact(stripControlCharacters(text))));
    },
    notice: annotate('notice'),
    warning: annotate('warning'),
    error(message, location, lastLine) {
      const help = options.helpFor?.(message);
      const ends = [help && `Help: ${help}`, lastLine].filter((line) => line !== undefined);
      const room = maxAnnotationLength - ends.join('\n').length - 2;
      const text =
        lastLine === undefined || message.length <= room ? message : `${message.slice(0, room - 1)}…`;
      annotate('error')([text, ...ends].join('\n'), location);
    },
    group(title) {
      endGroup();
      isInGroup = true;
      print(command('group', redact(stripControlCharacters(title)).replaceAll('\n', ' ')));
    },
    endGroup,
    untrusted,
    whenDrained: () => options.whenDrained?.(),
    mask: (secret) => print(command('add-mask', secret)),
    close,
  };
}

function redactLocation(location: AnnotationLocation, redact: Redactor): AnnotationLocation {
  const { file, title } = location;
  return {
    ...location,
    ...(file === undefined ? {} : { file: redact(file) }),
    ...(title === undefined ? {} : { title: redact(title) }),
  };
}

/**
 * Removes every control character except tab, line feed and colours. The lines are separated as the runner
 * separates them: it also ends a line at CR (.NET `StreamReader.ReadLine`).
 */
function stripControlCharacters(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n').replace(/\n$/, '');
  return lines.replace(escapes, (_, colour?: string) => colour ?? '');
}

// The first alternative is a colour, which stays. The others are removed: other escape sequences (CSI, OSC up to
// its end, any other), and single control characters except tab and line feed.
const escapes =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern is about control characters.
  /(\u001b\[[0-9;]*m)|\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b\n]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-Z\\^-~]?|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

const plainColour = '\u001b[0m';
// biome-ignore lint/suspicious/noControlCharactersInRegex: a truncated colour starts with one.
const cutColour = /\u001b\[?[0-9;]*$/;

/** Truncates a long line, and resets the colour at the end of a coloured one. */
function truncateLine(line: string): string {
  const left = line.length - maxLineLength;
  const short =
    left <= 0 ? line : `${line.slice(0, maxLineLength).replace(cutColour, '')} … (${left} more characters)`;
  return short.includes('\u001b') && !short.endsWith(plainColour) ? short + plainColour : short;
}
