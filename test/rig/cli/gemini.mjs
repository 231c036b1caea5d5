/**
 * Gemini CLI 0.61.0: stream-json with the id on `init` only; usage is that of the run; API errors end it with the HTTP
 * status modulo 256; a session is in a folder named after the project.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { apiErrors, totalUsage } from './agent-run.mjs';
import { isUuid, readArguments, refuse } from './arguments.mjs';
import { append, findFiles, readEntries } from './files.mjs';
import { leftText } from './reset-texts.mjs';

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
  const mode = last('--approval-mode');
  const isYolo = given['--yolo'] || given['-y'] || mode === 'yolo';
  if (isYolo && !given['--skip-trust'] && process.env.GEMINI_CLI_TRUST_WORKSPACE !== 'true') {
    refuse(55, 'Approval mode overridden to "default" because the current folder is not trusted.');
  }
  return {
    session:
      resume === undefined ? { mode: 'start', id: last('--session-id') } : { mode: 'resume', id: resume },
    model: last('-m', '--model'),
    permission: isYolo ? 'yolo' : (mode ?? 'default'),
  };
}

const home = () => join(process.env.GEMINI_CLI_HOME ?? homedir(), '.gemini');

/**
 * An entry in `projects.json` takes precedence if no folder of that name has another owner; then a folder that names
 * this one as its owner; otherwise the simplified name of the folder, with a number if another one uses it.
 */
function projectOf(directory) {
  const list = join(home(), 'projects.json');
  const projects = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')).projects : {};
  const cwd = realpathSync(directory);
  const isFree = (slug) => roots.every((root) => [undefined, cwd].includes(ownerOf(root, slug)));
  const listed = projects[cwd] !== undefined && isFree(projects[cwd]) ? projects[cwd] : undefined;
  const slug = listed ?? ownedSlug(cwd) ?? newSlug(cwd, projects, isFree);
  for (const root of roots) {
    mkdirSync(join(home(), root, slug), { recursive: true });
    writeFileSync(join(home(), root, slug, '.project_root'), cwd);
  }
  writeFileSync(list, JSON.stringify({ projects: { ...projects, [cwd]: slug } }));
  return slug;
}

const roots = ['tmp', 'history'];

function ownerOf(root, slug) {
  const file = join(home(), root, slug, '.project_root');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

function ownedSlug(cwd) {
  const folders = (root) => (existsSync(join(home(), root)) ? readdirSync(join(home(), root)) : []);
  return roots.flatMap((root) => folders(root).filter((slug) => ownerOf(root, slug) === cwd))[0];
}

function newSlug(cwd, projects, isFree) {
  const plain =
    basename(cwd)
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '') || 'project';
  const taken = Object.entries(projects).flatMap(([path, slug]) => (path === cwd ? [] : [slug]));
  for (let number = 0; ; number += 1) {
    const slug = number === 0 ? plain : `${plain}-${number}`;
    if (!taken.includes(slug) && isFree(slug)) return slug;
  }
}

function open({ session }) {
  const chats = join(home(), 'tmp', projectOf(process.cwd()), 'chats');
  const file = findFiles(chats, (name) => name.endsWith('.jsonl')).find((path) => idOf(path) === session.id);
  if (session.mode === 'resume') {
    const earlier = file === undefined ? [] : promptsIn(file);
    // A file without a message of the user or the model is not a session for it.
    if (earlier.length === 0)
      refuse(42, `Error resuming session: Invalid session identifier "${session.id}".`);
    return { id: session.id, file, earlier, isNew: false };
  }
  if (file !== undefined) refuse(42, `Error: session ${session.id} already exists.`);
  const id = session.id ?? randomUUID();
  if (!isUuid(id)) refuse(42, `Error: invalid session id "${id}".`);
  const stamp = new Date().toISOString().slice(0, 16).replaceAll(':', '-');
  return { id, file: join(chats, `session-${stamp}-${id.slice(0, 8)}.jsonl`), earlier: [], isNew: true };
}

/** The texts of the user, without removed prompts. */
function promptsIn(file) {
  const prompts = new Map();
  for (const { id, type, content, $rewindTo } of readEntries(file)) {
    if (type === 'user') prompts.set(id, content);
    prompts.delete($rewindTo);
  }
  return [...prompts.values()];
}

/** The name of the file does not matter: the CLI reads the id in the file. */
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
  run.promptId = randomUUID();
  append(session.file, { id: run.promptId, type: 'user', content: run.prompt });
}

const now = () => new Date().toISOString();

/** The real CLI prints an answer in pieces. */
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
    // For a file change it shows no output.
    ...(tool.command === undefined && !isError ? {} : { output: tool.output }),
  });
  append(run.session.file, { id: randomUUID(), type: 'gemini', toolCalls: [{ id, name: tool.name }] });
}

function stats(run) {
  const { inputTokens, outputTokens, cacheReadTokens } = totalUsage(run);
  const counts = {
    total_tokens: inputTokens + outputTokens,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    cached: cacheReadTokens,
    input: inputTokens - cacheReadTokens,
  };
  const models = { [run.request.model ?? 'gemini-2.5-pro']: counts };
  return { ...counts, duration_ms: Date.now() - run.startedAt, tool_calls: run.tools, models };
}

function finish(run) {
  run.print({ type: 'result', timestamp: now(), status: 'success', stats: stats(run) });
}

function fail(run, { kind, message }) {
  const { type, text, code } = failure(kind);
  const error = { type, message: message ?? text };
  run.print({ type: 'result', timestamp: now(), status: 'error', error, stats: stats(run) });
  // A prompt without an answer is removed: a first one leaves no session to resume.
  if (run.answers === 0) append(run.session.file, { $rewindTo: run.promptId });
  return code % 256;
}

const capacity = (resetsAt) =>
  `You have exhausted your capacity on this model. Your quota will reset after ${leftText(resetsAt)}.`;

/** The service asks for more than the 300 s for which the CLI waits: it gives up at once (0.61.0). */
function limit(run, resetsAt) {
  const wait = `${Math.max(1, Math.ceil((resetsAt - Date.now()) / 1000))}s`;
  const reason = `Resource has been exhausted. Please retry in ${wait}.\nSuggested retry after ${wait}.`;
  return fail(run, { kind: '429', message: `[API Error: ${reason}]\nPlease wait and try again later.` });
}

/** If the service has no capacity until then, the CLI waits, and only standard error says so (0.61.0). */
function waitAtLimit(_run, resetsAt) {
  const ms = Math.max(1, resetsAt - Date.now());
  process.stderr.write(`Attempt 1 failed: ${capacity(resetsAt)}. Retrying after ${ms}ms...\n`);
}

function failure(kind) {
  if (kind === 'max-turns') {
    const text = 'Reached max session turns for this session.';
    return { type: 'FatalTurnLimitedError', text, code: 53 };
  }
  // Google's real message for a full context was not observed.
  const tooLong = {
    code: 400,
    message: 'The input token count exceeds the maximum number of tokens allowed.',
  };
  const error =
    kind === 'context' ? tooLong : { code: apiErrors[kind].status, message: apiErrors[kind].message };
  const text =
    error.code === 429
      ? `[API Error: ${error.message}]\nPlease wait and try again later. To increase your limits, request a quota increase through AI Studio, or switch to another /auth method`
      : `[API Error: ${JSON.stringify({ error })}]`;
  return { type: 'unknown', text, code: error.code };
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
  limit,
  waitAtLimit,
  mayWrite,
  mayRun,
};
