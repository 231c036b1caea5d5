/**
 * OpenCode 1.18.33: `run`, `import`, `export`. Nothing is printed before the first answer, there is no final line,
 * usage comes per step. Its database is left out: one file per session stands for it, of a form of our own, because
 * nothing but import and export may touch it.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { readArguments, refuse } from './arguments.mjs';
import { apiErrors } from './session.mjs';

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

/** `import FILE` and `export ID`: no agent runs. An import gives the session to the directory it is made from. */
function aside([command, argument]) {
  if (command === 'import') {
    const session = JSON.parse(readFileSync(argument, 'utf8'));
    write({ ...session, info: { ...session.info, directory: realpathSync(process.cwd()) } });
    process.stdout.write(`Imported session: ${session.info.id}\n`);
  } else if (command === 'export') {
    const session = read(argument);
    process.stderr.write(session ? `Exporting session: ${argument}` : 'Error: Session not found\n');
    if (session) process.stdout.write(`${JSON.stringify(session, null, 2)}\n`);
    else process.exitCode = 1;
  }
  return command === 'import' || command === 'export';
}

function parse(argv, prompt) {
  if (argv[0] !== 'run') refuse(1, `error: the stand-in knows no 'opencode ${argv[0] ?? ''}'`);
  const given = readArguments(argv.slice(1), options);
  const last = (...keys) => keys.flatMap((key) => given[key] ?? []).at(-1);
  prompt.text = [prompt.text, given.words.join(' ')].filter(Boolean).join('\n');
  const id = last('--session', '-s');
  return {
    session: id === undefined ? { mode: 'start' } : { mode: 'resume', id },
    model: last('-m', '--model'),
    permission: last('--agent') ?? 'build',
    cwd: realpathSync(last('--dir') ?? process.cwd()),
  };
}

function open({ session, cwd }) {
  if (session.mode === 'start') {
    const id = `ses_${randomUUID().replaceAll('-', '').slice(0, 26)}`;
    return {
      id,
      earlier: [],
      info: { id, slug: 'rig', projectID: 'global', directory: cwd, title: 'rig', version },
      messages: [],
    };
  }
  const known = read(session.id);
  if (!known) refuse(1, '\u001b[91m\u001b[1mError: \u001b[0mSession not found');
  const users = known.messages.filter(({ info }) => info.role === 'user');
  const earlier = users.map(({ parts }) => parts[0].text);
  return { id: session.id, earlier, info: known.info, messages: known.messages };
}

function begin(run) {
  keep(run, 'user', [{ type: 'text', text: run.prompt }]);
  // From another directory than its own the real one calls the model, prints nothing and never ends.
  if (run.session.info.directory === run.cwd) return;
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
}

function keep({ session }, role, parts) {
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
  keep(run, 'assistant', parts);
}

function finish() {
  return 0;
}

function fail(run, { kind, message }) {
  // The name for a full context is from the source of the CLI, not provoked for real; it has no limit of turns.
  const isContext = kind === 'context';
  const status = isContext ? 400 : (apiErrors[kind]?.status ?? 500);
  const text = message ?? (isContext ? 'prompt is too long' : (apiErrors[kind]?.message ?? kind));
  const data = { message: text, statusCode: status, isRetryable: status === 429 || status >= 500 };
  const error = { name: isContext ? 'ContextOverflowError' : 'APIError', data };
  run.print({ type: 'error', timestamp: Date.now(), sessionID: run.session.id, error });
  return 1;
}

const mayWrite = ({ request }) => request.permission !== 'plan';

export default { id: 'opencode', version, aside, parse, open, begin, say, tool, finish, fail, mayWrite };
