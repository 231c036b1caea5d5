/** A conversation with an agent as Markdown. Pure. */
import type { Conversation } from '../engine/engine-ports.js';
import type { AgentEvent } from '../providers/provider.js';
import { codeBlock } from './markdown-text.js';

/** The start of a file, which has all processes of an attempt in this job attempt. */
export function transcriptTitle({ step, attempt, jobAttempt }: Conversation): string {
  return `# Step ${codeSpan(step)}, attempt ${attempt}, job attempt ${jobAttempt}\n`;
}

export function transcriptPrompt({ agent, session, id, prompt }: Conversation): string {
  const name = id === undefined ? '' : ` ${codeSpan(id)}`;
  return `\n## Prompt\n\nAgent ${codeSpan(agent)}, ${session} session${name}\n\n${codeBlock(prompt)}\n\n## Answers\n`;
}

/** `undefined` if people need not read the event. */
export function transcriptEvent(event: AgentEvent): string | undefined {
  switch (event.type) {
    case 'text':
      return `\n${event.text.trim()}\n`;
    case 'tool': {
      const detail = event.detail === undefined ? '' : ` ${codeSpan(event.detail)}`;
      return `\n- **${event.name.replace(/[\r\n]+/g, ' ')}**${detail}\n`;
    }
    case 'notice':
      return `\n_${event.message.replace(/[\r\n]+/g, ' ')}_\n`;
    default:
      return undefined;
  }
}

export function transcriptEnd(
  failure: { readonly kind: string; readonly message: string } | undefined,
): string {
  return failure === undefined ? '' : `\nFailed (${failure.kind}): ${failure.message}\n`;
}

/** With more backticks than any run of them in the text. */
function codeSpan(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
  const ticks = '`'.repeat(longest + 1);
  const space = longest > 0 ? ' ' : '';
  return `${ticks}${space}${text.replace(/[\r\n]+/g, ' ')}${space}${ticks}`;
}
