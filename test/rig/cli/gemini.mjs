/**
 * Gemini CLI 0.61.0: stream-json with the id on `init` only; usage is of the run; API errors end it with the HTTP
 * status modulo 256; a session lies under a folder named after the project.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { isUuid, readArguments, refuse } from './arguments.mjs';
import { append, findFiles, readEntries } from './files.mjs';
import { apiErrors, spent } from './session.mjs';

const options = {
  ...table('flag', '--yolo', '-y', '--skip-trust', '--debug', '-d', '--sandbox', '-s'),
  ...table(
    'value',
    '-m',
    '--model',
    '-o',
    '--output-format',
    '--session-id',
    '--resume',
    '-r',
    '-p',
    '--prompt',
  ),
  ...table('value', '--approval-mode', '--policy', '--include-directories', '--allowed-mcp-server-names'),
  ...table('list', '--allowed-tools', '-e', '--extensions'),
};

function table(kind, ...names) {
  return Object.fromEntries(names.map((name) => [name, kind]));
}

function parse(argv, prompt) {
  const given = readArguments(argv, options);
  const last = (...names) => names.flatMap((name) => given[name] ?? []).at(-1);
  const words = last('-p', '--prompt') ?? given.words.join(' ');
  prompt.text = [prompt.text, words].filter(Boolean).join('\n\n');
  const resume = last('--resume', '-r');
  const isYolo = given['--yolo'] || given['-y'];
  if (isYolo && !given['--skip-trust'] && process.env.GEMINI_CLI_TRUST_WORKSPACE !== 'true') {
    refuse(55, 'Approval mode overridden to "default" because the current folder is not trusted.');
  }
  return {
    session:
      resume === undefined ? { mode: 'start', id: last('--session-id') } : { mode: 'resume', id: resume },
    model: last('-m', '--model'),
    permission: isYolo ? 'yolo' : (last('--approval-mode') ?? 'default'),
  };
}

const home = () => join(process.env.GEMINI_CLI_HOME ?? homedir(), '.gemini');

/** An entry in `projects.json` wins; else the folder's name, simplified, with a number where another has it. */
function projectOf(directory) {
  const list = join(home(), 'projects.json');
  const projects = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')).projects : {};
  const cwd = realpathSync(directory);
  if (projects[cwd] !== undefined) return projects[cwd];
  const plain =
    basename(cwd)
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '') || 'project';
  for (let number = 0; ; number += 1) {
    const slug = number === 0 ? plain : `${plain}-${number}`;
    const owner = join(home(), 'tmp', slug, '.project_root');
    if (existsSync(owner) && readFileSync(owner, 'utf8') !== cwd) continue;
    mkdirSync(join(home(), 'tmp', slug), { recursive: true });
    writeFileSync(owner, cwd);
    writeFileSync(list, JSON.stringify({ projects: { ...projects, [cwd]: slug } }));
    return slug;
  }
}

function open({ session }) {
  const chats = join(home(), 'tmp', projectOf(process.cwd()), 'chats');
  const file = findFiles(chats, (name) => name.endsWith('.jsonl')).find((path) => idOf(path) === session.id);
  if (session.mode === 'resume') {
    if (file === undefined) refuse(42, `Error resuming session: Invalid session identifier "${session.id}".`);
    const earlier = readEntries(file)
      .filter(({ type }) => type === 'user')
      .map(({ content }) => content);
    return { id: session.id, file, earlier, isNew: false };
  }
  if (file !== undefined) refuse(42, `Error: session ${session.id} already exists.`);
  const id = session.id ?? randomUUID();
  if (!isUuid(id)) refuse(42, `Error: invalid session id "${id}".`);
  const stamp = new Date().toISOString().slice(0, 16).replaceAll(':', '-');
  return { id, file: join(chats, `session-${stamp}-${id.slice(0, 8)}.jsonl`), earlier: [], isNew: true };
}

/** The name of the file does not matter: the id is read inside. */
function idOf(path) {
  return readEntries(path).find(({ sessionId }) => sessionId !== undefined)?.sessionId;
}

function begin(run) {
  const { session } = run;
  run.print({
    type: 'init',
    timestamp: now(),
    session_id: session.id,
    model: run.request.model ?? 'gemini-2.5-pro',
  });
  run.print({ type: 'message', timestamp: now(), role: 'user', content: run.prompt });
  if (session.isNew) append(session.file, { sessionId: session.id, projectHash: 'rig', startTime: now() });
  append(session.file, { id: randomUUID(), type: 'user', content: run.prompt });
}

const now = () => new Date().toISOString();

/** The real one prints an answer in pieces. */
function say(run, text) {
  const middle = Math.ceil(text.length / 2);
  for (const piece of [text.slice(0, middle), text.slice(middle)].filter(Boolean)) {
    run.print({ type: 'message', timestamp: now(), role: 'assistant', content: piece, delta: true });
  }
  append(run.session.file, { id: randomUUID(), type: 'gemini', content: text });
}

function tool(run, tool) {
  if (tool.say !== undefined) say(run, tool.say);
  const id = `${tool.command === undefined ? 'write_file' : 'run_shell_command'}-${run.answers}`;
  const parameters = tool.command === undefined ? { file_path: tool.path } : { command: tool.command };
  run.print({
    type: 'tool_use',
    timestamp: now(),
    tool_name: id.replace(/-\d+$/, ''),
    tool_id: id,
    parameters,
  });
  const isError = Boolean(tool.isDenied) || (tool.exitCode ?? 0) !== 0;
  run.print({
    type: 'tool_result',
    timestamp: now(),
    tool_id: id,
    status: isError ? 'error' : 'success',
    output: tool.output,
  });
  append(run.session.file, { id: randomUUID(), type: 'gemini', toolCalls: [{ id, name: tool.name }] });
}

function stats(run) {
  const { inputTokens, outputTokens, cacheReadTokens } = spent(run);
  return {
    total_tokens: inputTokens + outputTokens,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    cached: cacheReadTokens,
    input: inputTokens - cacheReadTokens,
    duration_ms: Date.now() - run.startedAt,
    tool_calls: run.tools,
  };
}

function finish(run) {
  run.print({ type: 'result', timestamp: now(), status: 'success', stats: stats(run) });
}

function fail(run, { kind, message }) {
  if (kind === 'max-turns') {
    process.stderr.write(`${message ?? 'Reached max session turns for this session.'}\n`);
    return 53;
  }
  // The text for a full context was not provoked for real.
  const tooLong = 'The input token count exceeds the maximum number of tokens allowed.';
  const error =
    kind === 'context'
      ? { code: 400, message: tooLong }
      : { code: apiErrors[kind].status, message: apiErrors[kind].message };
  const text = message ?? `[API Error: ${JSON.stringify({ error })}]`;
  run.print({
    type: 'result',
    timestamp: now(),
    status: 'error',
    error: { type: 'unknown', message: text },
    stats: stats(run),
  });
  // After a first turn that the API refused there is no session to go on with.
  if (error.code === 401 && run.session.isNew) rmSync(run.session.file, { force: true });
  return error.code % 256;
}

const mayWrite = ({ request }) => ['yolo', 'auto_edit'].includes(request.permission);
const mayRun = ({ request }) => request.permission === 'yolo';

export default {
  id: 'gemini',
  version: '0.61.0',
  parse,
  open,
  begin,
  say,
  tool,
  finish,
  fail,
  mayWrite,
  mayRun,
};
