/** Removes terminal colors and other styles from a text. */
export function stripAnsi(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern must match the escape character
  return text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '');
}
