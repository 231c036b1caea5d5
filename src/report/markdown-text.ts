/** Text of others as Markdown that shows it as it is. Pure. */

/** A code block with a fence longer than any in the text, so that the text cannot close it. */
export function codeBlock(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
  const ticks = '`'.repeat(longest + 1);
  return `${ticks}text\n${text}\n${ticks}`;
}

/** Names may contain anything: nothing in them may become Markdown or HTML. */
export function escapeText(text: string): string {
  return text
    .replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] ?? sign)
    .replace(/[\\*_[\]`|]/g, '\\$&')
    .replace(/\s*\n\s*/g, ' ');
}
