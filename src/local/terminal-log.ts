/**
 * Turns the log of the action, which is written for a runner, into text for a terminal, line by line. Pure.
 *
 * TERMINAL1 No line of the result is a workflow command, so that the command can also run in a step of a real job.
 * TERMINAL2 A secret that the action gives the runner to hide is never shown.
 * TERMINAL3 Between `::stop-commands::TOKEN` and `::TOKEN::` each line is text of an agent or a gate.
 */
import { couldBeCommand } from '../report/workflow-commands.js';
import { terminalText } from './terminal-text.js';

export type LineKind = 'text' | 'error' | 'warning' | 'notice' | 'heading' | 'debug';

export interface TerminalLine {
  readonly kind: LineKind;
  readonly text: string;
}

/** Gets each line of the log, and returns what the terminal shows for it. */
export type LineTranslator = (line: string) => readonly TerminalLine[];

export interface TranslatorOptions {
  /** A real job reads what the command prints, and its problem matchers too. */
  readonly isInJob: boolean;
}

const labels = {
  error: 'Error: ',
  warning: 'Warning: ',
  notice: 'Notice: ',
  debug: '',
  text: '',
  heading: '',
};

export function createTranslator({ isInJob }: TranslatorOptions): LineTranslator {
  let token: string | undefined;
  let isInGroup = false;
  const show = (kind: LineKind, text: string): readonly TerminalLine[] =>
    (labels[kind] + text).split('\n').map((line) => ({
      kind,
      text: harmless((isInGroup && kind !== 'heading' ? '  ' : '') + line, isInJob),
    }));

  return (line) => {
    // Only the action writes such a line, and it contains a secret.
    if (line.startsWith('::add-mask::')) return [];
    if (token !== undefined) {
      if (line !== `::${token}::`) return show('text', line);
      token = undefined;
      return [];
    }
    const [, name = '', text = ''] = /^::([a-z-]+)(?: [^:]*)?::(.*)$/s.exec(line) ?? [];
    const message = decode(text);
    switch (name) {
      case 'stop-commands':
        token = text;
        return [];
      case 'group':
        isInGroup = true;
        return show('heading', message);
      case 'endgroup':
        isInGroup = false;
        return [];
      case 'error':
      case 'warning':
      case 'notice':
        return show(name, terminalText(message));
      case 'debug':
        return show(name, message);
    }
    return show('text', terminalText(line));
  };
}

/**
 * The log has invisible characters where the problem matchers of a job could find the place of an error. In a terminal
 * they would get into a path that somebody copies.
 */
function harmless(line: string, isInJob: boolean): string {
  const plain = isInJob ? line : line.replaceAll(wordJoiner, '');
  if (!couldBeCommand(plain)) return plain;
  return plain.replaceAll('##[', `##${wordJoiner}[`).replace(/^(\s*):(?=:)/, `$1${wordJoiner}:`);
}

const wordJoiner = '\u2060';

function decode(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}
