/**
 * OpenCode 1.18.33: `run`, `import`, `export`, `session delete`. It prints nothing before the first answer and no
 * final line, and reports usage per step. One file per session, in a format of this rig, replaces its database: only
 * import and export may access it.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { apiErrors } from './agent-run.mjs';
import { readArguments, refuse } from './arguments.mjs';
import { leftText } from './reset-texts.mjs';

const version = '1.18.33';
const names = [
  '--format',
  '-m',
  '--model',
  '-s',
  '--session',
  '--agent',
  '--dir',
  '--title',
  '--log-level',
  '--variant',
];
const options = {
  ...Object.fromEntries(['--auto', '--print-logs', '--thinking', '--pure'].map((name) => [name, 'flag'])),
  ...Object.fromEntries(names.map((name) => [name, 'value'])),
};

const store = () =>
  join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'opencode', 'rig-sessions');
const fileOf = (id) => join(store(), `${id}.json`);
const read = (id) => (existsSync(fileOf(id)) ? JSON.parse(readFileSync(fileOf(id), 'utf8')) : undefined);

function write(session) {
  mkdirSync(dirname(fileOf(session.info.id)), { recursive: true });
  writeFileSync(fileOf(session.info.id), JSON.stringify(session));
}

/** The commands that run no agent. */
const sideCommands = { import: importFile, export: exportSession, session: (...words) => remove(...words) };

function runSideCommand(argv) {
  const [command, ...words] = argv.filter((word) => word !== '--pure');
  sideCommands[command]?.(...words);
  return command in sideCommands;
}

/** Assigns the session to the present directory and adds missing messages. It removes none. */
function importFile(file) {
  const { info, messages } = JSON.parse(readFileSync(file, 'utf8'));
  const missing = ['id', 'slug', 'title', 'version', 'time'].find((key) => info?.[key] === undefined);
  if (missing) return failWith(`Unexpected error\n\nMissing key\n  at ["${missing}"]`);
  const known = read(info.id);
  const ids = new Set(known?.messages.map((message) => message.info.id));
  const all = [...(known?.messages ?? []), ...messages.filter((message) => !ids.has(message.info.id))];
  write({ info: { ...(known?.info ?? info), directory: realpathSync(process.cwd()) }, messages: all });
  process.stdout.write(`Imported session: ${info.id}\n`);
}

function exportSession(id) {
  process.stderr.write(`Exporting session: ${id}\n`);
  const session = read(id);
  if (!session) return failWith(`Session not found: ${id}`);
  process.stdout.write(`${JSON.stringify(session, null, 2)}\n`);
}

function remove(word, id) {
  if (word !== 'delete') return failWith(`the stand-in knows no 'opencode session ${word}'`);
  if (!read(id)) return failWith(`Session not found: ${id}`);
  rmSync(fileOf(id));
  process.stderr.write(`${style(92)}Session ${id} deleted\u001b[0m\n`);
}

const style = (colour) => `\u001b[${colour}m\u001b[1m`;
const errorText = (message) => `${style(91)}Error: \u001b[0m${message}`;

function failWith(message) {
  process.stderr.write(`${errorText(message)}\n`);
  process.exitCode = 1;
}

function parse(argv, prompt) {
  if (argv[0] !== 'run') refuse(1, `error: the stand-in knows no 'opencode ${argv[0] ?? ''}'`);
  const given = readArguments(argv.slice(1), options);
  const last = (...keys) => keys.flatMap((key) => given[key] ?? []).at(-1);
  prompt.text = [prompt.text, given.words.join(' ')].filter(Boolean).join('\n');
  const id = last('--session', '-s');
  return {
    // The first turn of a session that was imported empty is its start.
    session: { mode: id === undefined || read(id)?.messages.length === 0 ? 'start' : 'resume', id },
    model: last('-m', '--model'),
    permission: last('--agent') ?? 'build',
    isAuto: given['--auto'] === true,
    cwd: realpathSync(last('--dir') ?? process.cwd()),
  };
}

function open({ session, cwd }) {
  if (session.id === undefined) {
    const id = `ses_${randomUUID().replaceAll('-', '').slice(0, 26)}`;
    return {
      id,
      earlier: [],
      info: { id, slug: 'rig', projectID: 'global', directory: cwd, title: 'rig', version, time: {} },
      messages: [],
    };
  }
  const known = read(session.id);
  if (!known) refuse(1, errorText('Session not found'));
  const users = known.messages.filter(({ info }) => info.role === 'user');
  const earlier = users.map(({ parts }) => parts[0].text);
  return { id: session.id, earlier, info: known.info, messages: known.messages };
}

function begin(run) {
  appendEntry(run, 'user', [{ type: 'text', text: run.prompt }]);
  // In another directory than its own the real CLI calls the model, prints nothing and never ends.
  if (run.session.info.directory === run.cwd) return;
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
}

function appendEntry({ session }, role, parts) {
  session.messages = [
    ...session.messages,
    { info: { id: `msg_${randomUUID()}`, role, sessionID: session.id }, parts },
  ];
  write({ info: session.info, messages: session.messages });
}

function print(run, type, part) {
  run.print({
    type,
    timestamp: Date.now(),
    sessionID: run.session.id,
    part: { ...part, sessionID: run.session.id },
  });
}

function say(run, text) {
  print(run, 'step_start', { type: 'step-start' });
  print(run, 'text', { type: 'text', text });
  endStep(run, 'stop', [{ type: 'text', text }]);
}

function tool(run, tool) {
  print(run, 'step_start', { type: 'step-start' });
  if (tool.say !== undefined) print(run, 'text', { type: 'text', text: tool.say });
  const isError = Boolean(tool.isDenied);
  const input = tool.command === undefined ? { filePath: tool.path } : { command: tool.command };
  const state = { status: isError ? 'error' : 'completed', input, output: tool.output ?? '' };
  const part = {
    type: 'tool',
    tool: tool.command === undefined ? 'write' : 'bash',
    callID: `call_${run.answers}`,
    state,
  };
  print(run, 'tool_use', part);
  endStep(run, 'tool-calls', [part]);
}

function endStep(run, reason, parts) {
  const {
    inputTokens: input,
    outputTokens: output,
    cacheReadTokens,
    cacheWriteTokens,
    costUsd,
  } = run.perAnswer;
  const tokens = {
    total: input + output,
    input,
    output,
    reasoning: 0,
    cache: { read: cacheReadTokens, write: cacheWriteTokens },
  };
  print(run, 'step_finish', { type: 'step-finish', reason, tokens, cost: costUsd });
  appendEntry(run, 'assistant', parts);
}

function finish() {
  return 0;
}

function fail(run, { kind, message }) {
  // It has no limit of turns.
  const status = apiErrors[kind]?.status ?? 500;
  const text = message ?? apiErrors[kind]?.message ?? 'prompt is too long';
  const print = (error) =>
    run.print({ type: 'error', timestamp: Date.now(), sessionID: run.session.id, error });
  if (kind === 'context') {
    // Once for the answer, and once for the summary that would make room.
    for (let time = 0; time < 2; time += 1) print({ name: 'ContextOverflowError', data: { message: text } });
    return 1;
  }
  const isRetryable = status === 429 || status >= 500;
  print({ name: 'APIError', data: { message: text, statusCode: status, isRetryable } });
  return 1;
}

/** The answer of the service after its own retries, with the seconds until then in a header. */
function limit(run, resetsAt) {
  const responseHeaders = { 'retry-after': `${Math.max(1, Math.ceil((resetsAt - Date.now()) / 1000))}` };
  const data = { message: 'Usage limit reached.', statusCode: 429, isRetryable: true, responseHeaders };
  const error = { name: 'APIError', data };
  run.print({ type: 'error', timestamp: Date.now(), sessionID: run.session.id, error });
  return 1;
}

/** It waits as long as the service asks, without output. Only its log has the words of the service (1.18.33). */
function waitAtLimit(run, resetsAt) {
  if (process.env.OPENCODE_PRINT_LOGS !== '1') return;
  const words = `AI_APICallError: 5-hour usage limit reached. It will reset in ${leftText(resetsAt)}.`;
  const session = `session.id=${run.session.id} small=false agent=build mode=primary`;
  process.stderr.write(
    `timestamp=${new Date().toISOString()} level=ERROR run=1 message="stream error" providerID=mock ${session} error.error=${JSON.stringify(words)}\n`,
  );
}

const rules = () => JSON.parse(process.env.OPENCODE_PERMISSION ?? '{}');

/** Outside the working directory it would ask, so it refuses; within it, the last matching rule counts. */
function mayWrite({ request, cwd }, path) {
  const name = relative(cwd, path);
  if (name.startsWith('..')) return request.isAuto;
  if (request.permission === 'plan') return false;
  const fits = (pattern) =>
    new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(name);
  const last = Object.entries(rules().edit ?? {}).findLast(([pattern]) => fits(pattern));
  return last?.[1] !== 'deny';
}

const mayRun = () => rules().bash !== 'deny';

export default {
  id: 'opencode',
  version,
  runSideCommand,
  parse,
  open,
  begin,
  say,
  tool,
  finish,
  fail,
  limit,
  waitAtLimit,
  mayWrite,
  mayRun,
};
