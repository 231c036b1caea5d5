/** Reads a conversation from the session file of Claude Code or of its stand-in. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Conversation {
  /** The session file; absent if the machine has none. */
  readonly file?: string;
  /** The prompts of the agent, in order, without the results of its tools. */
  readonly prompts: readonly string[];
}

/** `home`: the CLI's folder for its files. */
export function readConversation(home: string, session: string): Conversation {
  const [name] = existsSync(home) ? globSync(`projects/*/${session}.jsonl`, { cwd: home }) : [];
  if (name === undefined) return { prompts: [] };
  const file = join(home, name);
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return { file, prompts: lines.flatMap((line) => userText(JSON.parse(line)) ?? []) };
}

interface TranscriptEntry {
  readonly type?: string;
  readonly isMeta?: boolean;
  readonly message?: { readonly content?: unknown };
}

function userText({ type, isMeta, message }: TranscriptEntry): string | undefined {
  if (type !== 'user' || isMeta) return undefined;
  if (typeof message?.content === 'string') return message.content;
  const blocks = Array.isArray(message?.content) ? (message.content as readonly ContentBlock[]) : [];
  const texts = blocks.flatMap((block) => (block.type === 'text' ? [block.text ?? ''] : []));
  return texts.length === 0 ? undefined : texts.join('\n');
}

interface ContentBlock {
  readonly type?: string;
  readonly text?: string;
}
