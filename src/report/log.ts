/**
 * The log of the job: our own lines, annotations and groups, and the text of agents and gates.
 *
 * L1 Every text goes through the redactor, after control characters were taken out of it and before it is cut.
 * L2 Text of others is printed only while the runner takes no commands (`::stop-commands::` with a token that
 *    is used once), and one text line gives one log line or more, never a line end that was not looked at.
 * L3 No command of ours is printed while the runner takes none.
 */
import { randomBytes } from 'node:crypto';
import type { Redactor } from '../security/redact.js';
import {
  type Annotation,
  type AnnotationLocation,
  annotation,
  command,
  couldBeCommand,
} from './workflow-commands.js';

export interface Log {
  /** A line of ours. It may quote names and values of others. */
  info(text: string): void;
  /** Printed only when the user asked for debug output. */
  debug(text: string): void;
  notice(message: string, place?: AnnotationLocation): void;
  warning(message: string, place?: AnnotationLocation): void;
  error(message: string, place?: AnnotationLocation): void;
  /** Begins a part that is folded away; ends the one before, since the runner knows no groups in groups. */
  group(title: string): void;
  endGroup(): void;
  /** Text of an agent or a gate, of one line or several. */
  untrusted(text: string): void;
  /** Asks the runner to hide this value in all that this job prints from now on. */
  mask(secret: string): void;
  /** Lets the runner take commands again: before anybody else prints, and at the end. */
  close(): void;
}

export interface LogOptions {
  /** Writes to the standard output of the step. */
  write(text: string): void;
  readonly redact: Redactor;
  /** RUNNER_DEBUG=1. */
  readonly isDebug: boolean;
  /** A word that nobody can guess, another one each time. */
  newToken?(): string;
}

/** Longer lines are cut in the log; they are whole in what is stored. */
const maxLineLength = 2000;

/**
 * The standard output of this process as it is now: goes on working when `process.stdout.write` is
 * replaced for a while.
 */
export function standardOutput(): (text: string) => void {
  const write = process.stdout.write.bind(process.stdout);
  return (text) => {
    write(text);
  };
}

/** A log on the given output. */
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
    for (const line of redact(stripControlCharacters(text)).split('\n')) write(`${truncateLine(line)}\n`);
  };
  const annotate = (kind: Annotation) => (message: string, location?: AnnotationLocation) =>
    print(
      annotation(
        kind,
        redact(stripControlCharacters(message)),
        location && { ...location, file: redact(location.file) },
      ),
    );
  const endGroup = () => {
    if (isInGroup) print(command('endgroup'));
    isInGroup = false;
  };

  return {
    info(text) {
      const clean = redact(stripControlCharacters(text));
      if (clean.split('\n').some(couldBeCommand)) untrusted(clean);
      else print(`${clean}\n`);
    },
    debug(text) {
      if (isDebug) print(command('debug', redact(stripControlCharacters(text))));
    },
    notice: annotate('notice'),
    warning: annotate('warning'),
    error: annotate('error'),
    group(title) {
      endGroup();
      isInGroup = true;
      print(command('group', redact(stripControlCharacters(title)).replaceAll('\n', ' ')));
    },
    endGroup,
    untrusted,
    mask: (secret) => print(command('add-mask', secret)),
    close,
  };
}

/**
 * A text fit to be printed, its lines parted as the runner will part them (it breaks at CR too: .NET
 * `StreamReader.ReadLine`): colours stay, every other control character but tab goes.
 */
function stripControlCharacters(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n').replace(/\n$/, '');
  return lines.replace(escapes, (_, colour?: string) => colour ?? '');
}

// A colour, kept; then what is dropped: other escape sequences (CSI, OSC up to its end, any other), and
// single control characters but for tab and line feed.
const escapes =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about.
  /(\u001b\[[0-9;]*m)|\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b\n]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-Z\\^-~]?|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

const plainColour = '\u001b[0m';
// biome-ignore lint/suspicious/noControlCharactersInRegex: a colour that was cut in two begins with one.
const cutColour = /\u001b\[?[0-9;]*$/;

/** A line short enough for the log, whose colour ends with it. */
function truncateLine(line: string): string {
  const left = line.length - maxLineLength;
  const short =
    left <= 0 ? line : `${line.slice(0, maxLineLength).replace(cutColour, '')} … (${left} more characters)`;
  return short.includes('\u001b') && !short.endsWith(plainColour) ? short + plainColour : short;
}
