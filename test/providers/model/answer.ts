/** The answer of the model: from markers in the newest prompt, with tool calls in the format of the CLI. */
import type { Json, ModelRequest } from './request.js';

/** Errors that the services report with a message of their own, not only with a status. */
const namedFailures = ['context', 'quota', 'model', 'conversation'] as const;

export type NamedFailure = (typeof namedFailures)[number];

export type ModelAnswer = (
  | { readonly say: string }
  | { readonly write: { readonly path: string; readonly content: string } }
  | { readonly bash: string }
  /** A file is read with the CLI's own tool, or with a command if it has none. */
  | { readonly read: string }
  | { readonly fail: number | NamedFailure; readonly retryAfterSeconds?: number }
  | { readonly hang: true }
  /** The connection breaks during the answer. */
  | { readonly cut: true }
) & { readonly delayMs?: number };

const markerPattern = /\[\[(write|read|bash|say|fail|hang|cut|loop|delay)(?::([\s\S]*?))?\]\]/g;

function markerAnswer(name: string, argument: string): ModelAnswer {
  const [head = '', ...rest] = argument.split(name === 'write' ? '|' : ':');
  if (name === 'say') return { say: argument };
  if (name === 'hang') return { hang: true };
  if (name === 'cut') return { cut: true };
  if (name === 'read') return { read: argument };
  if (name === 'write') return { write: { path: head, content: rest.join('|') } };
  if (name === 'bash' || name === 'loop') return { bash: argument };
  const named = namedFailures.find((one) => one === head);
  if (named !== undefined) return { fail: named };
  return { fail: Number(head), ...(rest[0] === undefined ? {} : { retryAfterSeconds: Number(rest[0]) }) };
}

/** The answer that the markers of the newest prompt define at this point. */
export function answerFromMarkers(request: ModelRequest): ModelAnswer {
  const answers: ModelAnswer[] = [];
  let delayMs = 0;
  for (const [, name = '', argument = ''] of request.prompt.matchAll(markerPattern)) {
    if (name === 'delay') delayMs = Number(argument);
    else answers.push({ ...markerAnswer(name, argument), ...(delayMs > 0 ? { delayMs } : {}) });
    if (name === 'loop') return markerAnswer(name, argument);
    if (name !== 'delay') delayMs = 0;
  }
  return answers[request.toolResults] ?? { say: echoTokens(request), ...(delayMs > 0 ? { delayMs } : {}) };
}

const echoTokens = ({ body }: ModelRequest): string =>
  `seen: ${[...new Set(JSON.stringify(body).match(/TOKEN-[A-Za-z0-9]+/g) ?? [])].join(' ') || 'nothing'}`;

export interface ToolCall {
  readonly name: string;
  readonly input: Json;
  /** Codex's default models accept JavaScript source instead of JSON (0.169.0). */
  readonly custom?: boolean;
}

const shellQuote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const toolNames = (body: Json): ReadonlySet<string> =>
  new Set(
    [...JSON.stringify(body.tools ?? body.input?.[0]?.tools ?? []).matchAll(/"name":"(\w+)"/g)].map(
      (m) => m[1] ?? '',
    ),
  );

/** The working directory that the CLI sent last. File tools need absolute paths. */
function directoryOf(body: Json): string {
  const pattern =
    /(?:working directory|working in the directory|<cwd>|directory you are in|Workspace(?: Directories)?)(?:\W|\\n){0,12}?(\/[^"\\<`(]+)/gi;
  return [...JSON.stringify(body).matchAll(pattern)].at(-1)?.[1]?.trimEnd() ?? '.';
}

function shellCall(command: string, names: ReadonlySet<string>): ToolCall {
  const description = 'Run a command';
  if (names.has('exec'))
    return {
      name: 'exec',
      custom: true,
      input: `text(await tools.exec_command({cmd: ${JSON.stringify(command)}}))`,
    };
  if (names.has('exec_command')) return { name: 'exec_command', input: { cmd: command } };
  const name = ['Bash', 'run_shell_command', 'bash', 'shell'].find((known) => names.has(known)) ?? 'Bash';
  return {
    name,
    input: { command, description, ...(name === 'run_shell_command' ? { is_background: false } : {}) },
  };
}

/** The tool call for an answer, in the format of the CLI that sends the request. */
export function toolCall(answer: ModelAnswer, body: Json): ToolCall | undefined {
  const names = toolNames(body);
  if ('bash' in answer) return shellCall(answer.bash, names);
  if ('read' in answer) return readCall(answer.read, names, body);
  if (!('write' in answer)) return undefined;
  const { path, content } = answer.write;
  const name = ['Write', 'write_file', 'write'].find((known) => names.has(known));
  if (name === undefined)
    return shellCall(
      `mkdir -p "$(dirname ${shellQuote(path)})" && printf %s ${shellQuote(content)} > ${shellQuote(path)}`,
      names,
    );
  const file = absolutePath(path, body);
  return { name, input: name === 'write' ? { filePath: file, content } : { file_path: file, content } };
}

function readCall(path: string, names: ReadonlySet<string>, body: Json): ToolCall {
  const name = ['Read', 'read_file', 'read'].find((known) => names.has(known));
  if (name === undefined) return shellCall(`cat ${shellQuote(path)}`, names);
  const file = absolutePath(path, body);
  return { name, input: name === 'read' ? { filePath: file } : { file_path: file } };
}

const absolutePath = (path: string, body: Json): string =>
  path.startsWith('/') ? path : `${directoryOf(body)}/${path}`;
