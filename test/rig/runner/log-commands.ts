/**
 * Finds the workflow commands in a log that the runner would execute (actions/runner 258d6c8, ActionCommand.cs and
 * ActionCommandManager.cs): `::name props::text` at the start of a line, the older `##[name props]text` anywhere
 * in one, only for known names, and nothing between `::stop-commands::TOKEN` and `::TOKEN::`.
 */

export interface LogCommand {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly text: string;
  /** Line in the log, from 1. */
  readonly line: number;
}

const knownCommands = new Set([
  ...['add-mask', 'add-matcher', 'add-path', 'debug', 'echo', 'endgroup', 'error', 'group', 'notice'],
  ...['remove-matcher', 'save-state', 'set-env', 'set-output', 'stop-commands', 'warning'],
]);

export function readCommands(log: string): readonly LogCommand[] {
  const found: LogCommand[] = [];
  let resumeToken: string | undefined;
  for (const [index, line] of log.split('\n').entries()) {
    const command = parse(line.replace(/\r$/, ''), resumeToken);
    if (!command) continue;
    if (resumeToken !== undefined) {
      if (command.name === resumeToken) resumeToken = undefined;
      continue;
    }
    if (command.name === 'stop-commands') resumeToken = command.text.toLowerCase();
    found.push({ ...command, line: index + 1 });
  }
  return found;
}

type ParsedCommand = Omit<LogCommand, 'line'>;

function parse(line: string, resumeToken: string | undefined): ParsedCommand | undefined {
  const match = line.match(/^\s*::(.*?)::(.*)$/) ?? line.match(/##\[(.*?)\](.*)$/);
  if (!match) return undefined;
  const [, head = '', text = ''] = match;
  const space = head.indexOf(' ');
  const name = (space < 0 ? head : head.slice(0, space)).toLowerCase();
  if (!knownCommands.has(name) && name !== resumeToken) return undefined;
  const properties = space < 0 ? {} : parseProperties(head.slice(space + 1));
  return { name, properties, text: decode(text) };
}

function parseProperties(text: string): Record<string, string> {
  const pairs = text.split(/[,;]/).filter((pair) => pair.includes('='));
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      const value = pair.slice(at + 1);
      return [
        pair.slice(0, at).trim(),
        decode(value.replaceAll(/%3A/gi, ':').replaceAll(/%2C/gi, ',')).trim(),
      ];
    }),
  );
}

function decode(text: string): string {
  return text.replaceAll(/%0D/gi, '\r').replaceAll(/%0A/gi, '\n').replaceAll('%25', '%');
}

/** The log as people see it: every masked value is `***`. */
export function maskLog(log: string, commands: readonly LogCommand[]): string {
  const secrets = commands
    .filter((command) => command.name === 'add-mask')
    .flatMap((command) => [command.text, ...command.text.split(/\r?\n/)])
    .filter((text) => text.trim() !== '')
    .toSorted((left, right) => right.length - left.length);
  // The runner removes the mask commands themselves from the log.
  const lines = log.split('\n').filter((line) => !/^\s*::add-mask::/.test(line));
  return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), lines.join('\n'));
}
