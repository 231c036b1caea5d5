/**
 * The `suggestion` of a finding as a block that replaces lines at a click, or as advice. Agents write both into the same
 * field, and a sentence must not replace code. Pure.
 */
import { cleanCode } from '../event/clean-text.js';
import { agentMarkdown } from '../report/agent-markdown.js';
import { codeBlock } from '../report/markdown-text.js';
import { wordsOf } from './finding-identity.js';

/** `replaced`: the lines that a block would replace. `undefined` if the comment is not on exactly these lines. */
export function suggestedChange(suggestion: string, replaced: string | undefined): string | undefined {
  const code = withoutFence(suggestion);
  // Nobody can see at the click what such a character does.
  const hasInvisible = cleanCode(code) !== code;
  if (replaced === undefined || hasInvisible || isAdvice(code, replaced))
    return `**Suggestion:** ${agentMarkdown(suggestion)}`;
  // A block without any change is refused at the click.
  return code === replaced ? undefined : codeBlock(code, 'suggestion');
}

/** Agents often put a fence around it. */
function withoutFence(text: string): string {
  const plain = text.replace(/\r\n?/g, '\n').replace(/^(?:[ \t]*\n)+|\s+$/g, '');
  return /^(`{3,})[^`\n]*\n([\s\S]*?)\n?\1$/.exec(plain.trim())?.[2] ?? plain;
}

/**
 * A text of one line that reads like a sentence, and has little in common with the lines that it would replace. A comment
 * or a text that a finding corrects has much in common with them.
 */
function isAdvice(text: string, replaced: string): boolean {
  const line = text.trim();
  const isSentence = /^[A-Z][\w'’]*(?: +[\w'’"`(*./:@&#-][^ ]*){2,}$/.test(line) && !/[;{}]$/.test(line);
  return !line.includes('\n') && isSentence && !hasMostWords(wordsOf(line), wordsOf(replaced));
}

function hasMostWords(words: readonly string[], known: readonly string[]): boolean {
  const common = words.filter((word) => known.includes(word)).length;
  return common * 2 > words.length;
}
