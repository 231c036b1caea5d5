/** A terminal's colours and other styles taken out of a text. */
export function stripAnsi(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
  return text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '');
}
