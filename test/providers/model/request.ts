/** Reads a request to the model from the body of each wire format. */
import type { IncomingMessage } from 'node:http';

export type WireFormat = 'anthropic' | 'responses' | 'chat' | 'gemini';

export interface ModelRequest {
  readonly format: WireFormat;
  /** Path and query, as sent. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  // biome-ignore lint/suspicious/noExplicitAny: four wire formats, read field by field
  readonly body: any;
  /** Every text of the user role, oldest first, without texts that the CLI adds itself. */
  readonly userTexts: readonly string[];
  /** The newest of `userTexts`. */
  readonly prompt: string;
  /** The number of tool results after the newest prompt. */
  readonly toolResults: number;
}

interface RequestItem {
  readonly kind: 'user' | 'tool-result' | 'other';
  readonly text: string;
}

// biome-ignore lint/suspicious/noExplicitAny: wire formats
export type Json = any;

/** Blocks that the CLIs add to the prompt, in the user's role. */
const addedByCli =
  /^\s*<(system-reminder|environment_context|user_instructions|turn_aborted|session_context|subagent)/;

const contentParts = (content: Json): readonly Json[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : Array.isArray(content) ? content : [];

const readItem = (role: string, part: Json): RequestItem => {
  if (part.type === 'tool_result' || part.functionResponse) return { kind: 'tool-result', text: '' };
  const text = String(part.text ?? '');
  const isPrompt = role === 'user' && text.trim() !== '' && !addedByCli.test(text);
  return { kind: isPrompt ? 'user' : 'other', text };
};

const itemReaders: Readonly<Record<WireFormat, (body: Json) => readonly RequestItem[]>> = {
  anthropic: (body) =>
    (body.messages ?? []).flatMap((m: Json) => contentParts(m.content).map((part) => readItem(m.role, part))),
  chat: (body) =>
    (body.messages ?? []).flatMap((m: Json) =>
      m.role === 'tool'
        ? [{ kind: 'tool-result', text: '' }]
        : contentParts(m.content).map((part) => readItem(m.role, part)),
    ),
  responses: (body) =>
    contentParts(body.input).flatMap((m: Json) =>
      /_call_output$/.test(m.type ?? '')
        ? [{ kind: 'tool-result', text: '' }]
        : contentParts(m.content).map((part) => readItem(m.role, part)),
    ),
  gemini: (body) =>
    (body.contents ?? []).flatMap((m: Json) => contentParts(m.parts).map((part) => readItem(m.role, part))),
};

/** All user texts of a recorded body, oldest first, in any wire format. */
export function userTexts(format: WireFormat, body: unknown): readonly string[] {
  return itemReaders[format](body).flatMap(({ kind, text }) => (kind === 'user' ? [text] : []));
}

/** The wire format of a path, with any base path. */
export function formatOf(path: string): WireFormat | undefined {
  if (/\/messages(\/count_tokens)?(\?|$)/.test(path)) return 'anthropic';
  if (/\/responses(\?|$)/.test(path)) return 'responses';
  if (/\/chat\/completions(\?|$)/.test(path)) return 'chat';
  return /:(streamG|g)enerateContent/.test(path) ? 'gemini' : undefined;
}

/** The recorded form of one request. */
export function readRequest(format: WireFormat, http: IncomingMessage, body: Json): ModelRequest {
  const all = itemReaders[format](body);
  const newest = all.findLastIndex(({ kind }) => kind === 'user');
  const toolResults = all.slice(newest + 1).filter(({ kind }) => kind === 'tool-result').length;
  const path = http.url ?? '';
  const prompt = all[newest]?.text ?? '';
  return {
    format,
    path,
    headers: http.headers,
    body,
    userTexts: userTexts(format, body),
    prompt,
    toolResults,
  };
}
