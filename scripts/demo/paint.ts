/** Formats text for a terminal. Without a terminal, or with NO_COLOR, `styleText` adds no colors. */
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

export function paint(style: Style, text: string): string {
  return text
    .split('\n')
    .map((line) => styleText(style, line))
    .join('\n');
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function heading(text: string): void {
  print(`\n${paint(['bold', 'inverse'], ` ${text} `)}\n`);
}

export function indent(text: string, by = '  '): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? line : by + line))
    .join('\n');
}
