/**
 * Qwen Code 0.24.4: lines like Claude's; usage is that of the whole session; no cost. The first line of a session file
 * names the directory, and the session is found only from there.
 */
import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { apiErrors, totalUsage } from './agent-run.mjs';
import { isUuid, readArguments, refuse } from './arguments.mjs';
import { append, readEntries } from './files.mjs';
import { stampText } from './reset-texts.mjs';

const version = '0.24.4';
const options = {
  ...table('flag', '--yolo', '-y', '--debug', '-d', '--sandbox', '-s'),
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
  ...table('value', '--approval-mode', '--auth-type', '--max-session-turns', '--append-system-prompt'),
  ...table('list', '--allowed-tools', '--exclude-tools', '--core-tools', '--include-directories'),
};

function table(kind, ...names) {
  return Object.fromEntries(names.map((name) => [name, kind]));
}

function parse(argv, prompt) {
  const given = readArguments(argv, options);
  const last = (...names) => names.flatMap((name) => given[name] ?? []).at(-1);
  prompt.text = [prompt.text, last('-p', '--prompt') ?? given.words.join(' ')].filter(Boolean).join('\n\n');
  const resume = last('--resume', '-r');
  const turns = last('--max-session-turns');
  return {
    session:
      resume === undefined ? { mode: 'start', id: last('--session-id') } : { mode: 'resume', id: resume },
    model: last('-m', '--model'),
    permission: given['--yolo'] || given['-y'] ? 'yolo' : (last('--approval-mode') ?? 'default'),
    ...(turns === undefined ? {} : { maxTurns: Number(turns) }),
  };
}

function open({ session }) {
  const cwd = realpathSync(process.cwd());
  const home = process.env.QWEN_RUNTIME_DIR ?? process.env.QWEN_HOME ?? join(homedir(), '.qwen');
  const id = session.id ?? randomUUID();
  if (!isUuid(id)) refuse(1, `Invalid session id: ${id}`);
  const file = join(home, 'projects', cwd.replaceAll(/[^A-Za-z0-9]/g, '-'), 'chats', `${id}.jsonl`);
  const entries = readEntries(file);
  if (session.mode === 'start') {
    if (entries.length > 0) refuse(1, `Error: Session Id ${id} is already in use.`);
    return { id, file, earlier: [], answersBefore: {} };
  }
  if (entries[0]?.cwd !== cwd) refuse(1, `No saved session found with ID ${id}`);
  const earlier = entries.filter(({ type }) => type === 'user').map(({ message }) => message.parts[0].text);
  return { id, file, earlier, answersBefore: sum(entries) };
}

/** The usage of the session so far, from its own records. */
function sum(entries) {
  const notes = entries.flatMap(({ systemPayload }) => systemPayload?.uiEvent ?? []);
  const total = (name) => notes.reduce((left, note) => left + note[name], 0);
  return {
    input: total('input_token_count'),
    output: total('output_token_count'),
    cached: total('cached_content_token_count'),
  };
}

function begin(run) {
  const { session, cwd, request } = run;
  run.print({
    type: 'system',
    subtype: 'init',
    uuid: session.id,
    session_id: session.id,
    cwd,
    model: request.model ?? model,
    permission_mode: request.permission,
    qwen_code_version: version,
  });
  const goal = { v: 2, goal: null, activity: 'idle' };
  line(run, 'stream_event', { event: { type: 'goal_state', goal_state: goal } });
  appendEntry(run, 'user', { message: { role: 'user', parts: [{ text: run.prompt }] } });
}

const model = 'qwen3-coder-plus';

function line(run, type, fields) {
  run.print({
    type,
    uuid: randomUUID(),
    session_id: run.session.id,
    parent_tool_use_id: null,
    ...fields,
  });
}

function appendEntry(run, type, fields) {
  const common = { uuid: randomUUID(), sessionId: run.session.id, cwd: realpathSync(run.cwd), version };
  append(run.session.file, { ...common, type, ...fields });
}

function say(run, text) {
  answer(run, [{ type: 'text', text }]);
}

function tool(run, tool) {
  const id = `call_${run.answers}`;
  const isCommand = tool.command !== undefined;
  const input = isCommand ? { command: tool.command } : { file_path: tool.path };
  const words = tool.say === undefined ? [] : [{ type: 'text', text: tool.say }];
  answer(run, [
    ...words,
    { type: 'tool_use', id, name: isCommand ? 'run_shell_command' : 'write_file', input },
  ]);
  const isError = Boolean(tool.isDenied) || (tool.exitCode ?? 0) !== 0;
  const result = { type: 'tool_result', tool_use_id: id, content: tool.output ?? '', is_error: isError };
  line(run, 'user', { message: { role: 'user', content: [result] } });
}

function answer(run, content) {
  const { inputTokens, outputTokens, cacheReadTokens } = run.perAnswer;
  message(run, content, {
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    cache_read_input_tokens: cacheReadTokens,
    total_tokens: inputTokens + outputTokens,
  });
  appendEntry(run, 'system', {
    subtype: 'ui_telemetry',
    systemPayload: {
      uiEvent: {
        'event.name': 'qwen-code.api_response',
        input_token_count: inputTokens,
        output_token_count: outputTokens,
        cached_content_token_count: cacheReadTokens,
      },
    },
  });
  appendEntry(run, 'assistant', { message: { role: 'model', parts: content } });
}

function message(run, content, usage) {
  const id = randomUUID();
  const fields = {
    id,
    type: 'message',
    role: 'assistant',
    model: run.request.model ?? model,
    content,
    usage,
  };
  line(run, 'assistant', { uuid: id, message: fields });
}

function usageOf(run) {
  const usage = totalUsage(run);
  const { input = 0, output = 0, cached = 0 } = run.session.answersBefore;
  const [inputs, outputs] = [input + usage.inputTokens, output + usage.outputTokens];
  const reads = cached + usage.cacheReadTokens;
  return {
    input_tokens: inputs,
    output_tokens: outputs,
    cache_read_input_tokens: reads,
    ...(inputs + outputs > 0 ? { total_tokens: inputs + outputs } : {}),
  };
}

function result(run, fields) {
  const common = { uuid: randomUUID(), session_id: run.session.id, duration_ms: Date.now() - run.startedAt };
  const denials = run.denials.map(({ name }) => ({ tool_name: name }));
  run.print({
    type: 'result',
    ...common,
    num_turns: run.answers,
    usage: usageOf(run),
    permission_denials: denials,
    ...fields,
  });
}

function finish(run) {
  result(run, { subtype: 'success', is_error: false, result: run.text });
}

function fail(run, { kind, message: customMessage }) {
  if (kind === 'max-turns') {
    process.stderr.write(`${customMessage ?? 'Reached max session turns for this session.'}\n`);
    return 53;
  }
  // The real message for a full context was not observed.
  const tooLong = { status: 400, message: "This model's maximum context length is 131072 tokens." };
  const { status, message: text } = kind === 'context' ? tooLong : apiErrors[kind];
  const error = { message: customMessage ?? `[API Error: ${status} ${text}]` };
  // The error is also an answer of the model, without tokens.
  sayError(run, error.message);
  result(run, { subtype: 'error_during_execution', is_error: true, error });
  return 1;
}

/** The words of Alibaba's Token Plan, on which the CLI gives up at once (0.24.4). */
function limit(run, resetsAt) {
  const quota = `Your token-plan 5-hour quota has been exhausted. The quota will reset at ${stampText(resetsAt)}.`;
  const hint = 'Please retry after the reset time, or switch to another API key / auth method.';
  return fail(run, { kind: '429', message: `Quota exhausted: ${quota}\n\n${hint}` });
}

/** It retries by itself: standard output has how long it waits, standard error also why. */
function waitAtLimit(run, resetsAt) {
  const delayMs = Math.max(1, resetsAt - Date.now());
  line(run, 'system', { subtype: 'retry', data: { reason: 'retry', attempt: 1, maxRetries: 10, delayMs } });
  process.stderr.write(
    `Retrying in ${Math.ceil(delayMs / 1000)}s (attempt 1/10): ${apiErrors[429].message}\n`,
  );
}

function sayError(run, text) {
  message(run, [{ type: 'text', text }], { input_tokens: 0, output_tokens: 0 });
}

const mayWrite = ({ request }) => ['yolo', 'auto-edit'].includes(request.permission);
const mayRun = ({ request }) => request.permission === 'yolo';

export default {
  id: 'qwen',
  version,
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
