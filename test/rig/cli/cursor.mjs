/**
 * Cursor's CLI, from its documentation of early 2026 (2026.03.20). The CLI was unavailable for tests, so this only
 * proves that the action follows the documentation. The exit code is always 0; the result line decides.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { apiErrors, totalUsage } from './agent-run.mjs';
import { readArguments, refuse } from './arguments.mjs';
import { readEntries } from './files.mjs';
import { leftText } from './reset-texts.mjs';

const flags = [
  '-p',
  '--print',
  '--force',
  '-f',
  '--yolo',
  '--trust',
  '--stream-partial-output',
  '--approve-mcps',
];
const values = ['--output-format', '--workspace', '--resume', '--model', '-m', '--mode', '--sandbox'];
const options = {
  ...Object.fromEntries(flags.map((name) => [name, 'flag'])),
  ...Object.fromEntries(values.map((name) => [name, 'value'])),
};

function storeOf(directory, id) {
  const folder = createHash('md5').update(realpathSync(directory)).digest('hex');
  return join(homedir(), '.cursor', 'chats', folder, id, 'store.db');
}

/** As in a database, every change increases a number at the start: an earlier point is not part of a later one. */
function append(file, entry) {
  const [head, ...entries] = readEntries(file);
  const lines = [{ type: 'head', changes: (head?.changes ?? 0) + 1 }, ...entries, entry];
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** `create-chat` prints the id of a new, empty chat. */
function runSideCommand([command]) {
  if (command !== 'create-chat') return false;
  const id = randomUUID();
  append(storeOf(process.cwd(), id), { type: 'chat', id });
  process.stdout.write(`${id}\n`);
  return true;
}

function parse(argv, prompt) {
  const given = readArguments(argv, options);
  const last = (...names) => names.flatMap((name) => given[name] ?? []).at(-1);
  prompt.text ||= given.words.join(' ');
  const isForced = given['--force'] || given['-f'] || given['--yolo'];
  if (!given['--trust']) refuse(0, 'Workspace trust required: pass --trust to run headless.');
  const id = last('--resume');
  return {
    session: id === undefined ? { mode: 'start' } : { mode: 'resume', id },
    model: last('--model', '-m'),
    permission: last('--mode') ?? (isForced ? 'force' : 'default'),
    cwd: last('--workspace') ?? process.cwd(),
  };
}

function open({ session, cwd }) {
  const id = session.id ?? randomUUID();
  const file = storeOf(cwd, id);
  if (session.mode === 'resume' && !existsSync(file)) refuse(0, `Error: chat ${id} not found`);
  const users = readEntries(file).filter(({ type }) => type === 'user');
  return { id, file, earlier: users.map(({ text }) => text) };
}

function begin(run) {
  const { session, request, cwd } = run;
  const common = { session_id: session.id, cwd, model: request.model ?? 'Auto', permissionMode: 'default' };
  run.print({ type: 'system', subtype: 'init', apiKeySource: 'env', ...common });
  const content = [{ type: 'text', text: run.prompt }];
  run.print({ type: 'user', message: { role: 'user', content }, session_id: session.id });
  append(session.file, { type: 'user', text: run.prompt });
}

function say(run, text) {
  const message = { role: 'assistant', content: [{ type: 'text', text }] };
  run.print({ type: 'assistant', message, model_call_id: `call-${run.answers}`, session_id: run.session.id });
  append(run.session.file, { type: 'assistant', text });
}

function tool(run, tool) {
  if (tool.say !== undefined) say(run, tool.say);
  const isCommand = tool.command !== undefined;
  const call = { args: isCommand ? { command: tool.command } : { path: tool.path } };
  const toolCall = { [isCommand ? 'shellToolCall' : 'editToolCall']: call };
  for (const subtype of ['started', 'completed']) {
    const common = {
      call_id: `tool-${run.answers}`,
      model_call_id: `call-${run.answers}`,
      session_id: run.session.id,
    };
    run.print({ type: 'tool_call', subtype, ...common, tool_call: toolCall });
  }
}

function result(run, fields) {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = totalUsage(run);
  const usage = { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens };
  const duration = Date.now() - run.startedAt;
  run.print({ type: 'result', duration_ms: duration, session_id: run.session.id, usage, ...fields });
}

function finish(run) {
  result(run, { subtype: 'success', is_error: false, result: run.text });
}

function fail(run, { kind, message }) {
  const refused = kind === '400' ? `400 Bad Request: ${apiErrors[400].message}` : undefined;
  const text = message ?? refused ?? apiErrors[kind]?.message ?? 'The conversation is too long.';
  result(run, { subtype: 'error', is_error: true, result: text });
  return 0;
}

/** No report shows a time, only a day, so these are the words of a service that it would pass on. */
function limit(run, resetsAt) {
  return fail(run, {
    kind: '429',
    message: `Rate limit exceeded. Please try again in ${leftText(resetsAt)}.`,
  });
}

function waitAtLimit(_run, resetsAt) {
  process.stderr.write(`Rate limit exceeded. Please try again in ${leftText(resetsAt)}.\n`);
}

const mayWrite = ({ request }) => request.permission !== 'plan' && request.permission !== 'ask';
const mayRun = ({ request }) => request.permission === 'force';

export default {
  id: 'cursor',
  version: '2026.03.20',
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
