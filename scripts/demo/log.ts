/** Renders the log of a step as GitHub shows it: commands are applied, groups are headings, secrets are hidden. */
import type { StageResult } from '../../test/rig/machine.js';
import { type LogCommand, readCommands } from '../../test/rig/runner/log-commands.js';
import { paint } from './paint.js';

export function renderLog(stage: Pick<StageResult, 'masked'>): string {
  const commands = new Map(readCommands(stage.masked).map((command) => [command.line, command]));
  let resumeToken: string | undefined;
  let isInGroup = false;
  const shown = stage.masked
    .trimEnd()
    .split('\n')
    .flatMap((line, index) => {
      const command = commands.get(index + 1);
      if (command === undefined && resumeToken !== undefined && line === `::${resumeToken}::`) return [];
      if (command?.name === 'stop-commands') resumeToken = command.text;
      if (command?.name === 'endgroup') isInGroup = false;
      const text = command === undefined ? line : renderCommand(command);
      const result = text === undefined ? [] : [isInGroup ? `  ${text}` : text];
      if (command?.name === 'group') isInGroup = true;
      return result;
    });
  return shown.join('\n');
}

/** Returns `undefined` if GitHub shows nothing for the command. */
function renderCommand({ name, text }: LogCommand): string | undefined {
  switch (name) {
    case 'group':
      return paint('bold', `▼ ${text}`);
    case 'error':
      return paint('red', `Error: ${text}`);
    case 'warning':
      return paint('yellow', `Warning: ${text}`);
    case 'notice':
      return `Notice: ${text}`;
    default:
      return undefined;
  }
}
