/**
 * Codex 0.169.0, second half: `exec --json`, compared with recordings of the real CLI in `rig-tests`. The thread id
 * comes first and cannot be chosen; usage is that of the whole thread.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { apiErrors, totalUsage } from './agent-run.mjs';
import { mayWrite, open, parse } from './codex-session.mjs';
import { append } from './files.mjs';
import { localText } from './reset-texts.mjs';

const version = '0.169.0';

function begin(run) {
  const { session, cwd } = run;
  run.print({ type: 'thread.started', thread_id: session.id });
  run.print({ type: 'turn.started' });
  const meta = { id: session.id, cwd, cli_version: version, originator: 'codex_exec' };
  if (!existsSync(session.file)) appendEntry(run, 'session_meta', meta);
  appendEntry(run, 'event_msg', { type: 'user_message', message: run.prompt });
}

function appendEntry(run, type, payload) {
  append(run.session.file, { timestamp: new Date().toISOString(), type, payload });
}

function say(run, text) {
  run.print({ type: 'item.completed', item: { id: itemId(run), type: 'agent_message', text } });
  appendEntry(run, 'event_msg', { type: 'agent_message', message: text });
  count(run);
}

function tool(run, tool) {
  if (tool.say !== undefined) {
    run.print({ type: 'item.completed', item: { id: itemId(run), type: 'agent_message', text: tool.say } });
  }
  // A command that the sandbox refuses gives no item.
  if (!tool.isDenied) printCommand(run, tool);
  appendEntry(run, 'response_item', { type: 'function_call_output', output: tool.output ?? '' });
  count(run);
}

/** Every tool call is a command here; the real CLI also has `file_change` items for its own patches. */
function printCommand(run, { command, name, path, output = '', exitCode = 0 }) {
  const text = command ?? `${name === 'Write' ? 'tee' : 'rm -rf'} ${path}`;
  const item = { id: itemId(run), type: 'command_execution', command: `/bin/bash -lc '${text}'` };
  const begun = { ...item, aggregated_output: '', exit_code: null, status: 'in_progress' };
  run.print({ type: 'item.started', item: begun });
  const status = exitCode === 0 ? 'completed' : 'failed';
  const ended = { ...item, aggregated_output: output, exit_code: exitCode, status };
  run.print({ type: 'item.completed', item: ended });
}

function itemId(run) {
  run.items = (run.items ?? -1) + 1;
  return `item_${run.items}`;
}

function count(run) {
  appendEntry(run, 'event_msg', { type: 'token_count', info: { total_token_usage: totals(run) } });
}

function totals(run) {
  const usage = totalUsage(run);
  const sum = (name, more) => (run.session.before[name] ?? 0) + more;
  return {
    input_tokens: sum('input_tokens', usage.inputTokens),
    cached_input_tokens: sum('cached_input_tokens', usage.cacheReadTokens),
    cache_write_input_tokens: sum('cache_write_input_tokens', 0),
    output_tokens: sum('output_tokens', usage.outputTokens),
    reasoning_output_tokens: sum('reasoning_output_tokens', 0),
  };
}

function finish(run) {
  if (run.request.lastMessageFile) writeFileSync(run.request.lastMessageFile, run.text);
  run.print({ type: 'turn.completed', usage: totals(run) });
}

const demand = 'We’re currently experiencing high demand, which may cause temporary errors.';
const failures = {
  // Only the answer of the service, without its status.
  400: JSON.stringify({
    error: { message: apiErrors[400].message, type: apiErrors[400].type, param: 'input', code: null },
  }),
  401: `unexpected status 401 Unauthorized: ${apiErrors[401].message}`,
  429: 'exceeded retry limit, last status: 429 Too Many Requests',
  500: demand,
  529: demand,
  context:
    "Codex ran out of room in the model's context window. Start a new thread or clear earlier history before retrying.",
};

function fail(run, { kind, message, retryAfterMs }) {
  if (!(kind in failures)) throw new Error(`Codex has no failure ${kind}`);
  // The message of the service with the wait, which Codex passes on.
  const wait = retryAfterMs && `Rate limit reached. Please try again in ${retryAfterMs}ms.`;
  return endWith(run, message ?? wait ?? failures[kind]);
}

function endWith(run, text) {
  run.print({ type: 'error', message: text });
  run.print({ type: 'turn.failed', error: { message: text } });
  return 1;
}

/** The window of a subscription is used up. The time is in the machine's zone (0.169.0). */
function limit(run, resetsAt) {
  const hint = 'Visit https://chatgpt.com/codex/settings/usage to purchase more credits';
  return endWith(run, `You’ve hit your usage limit. ${hint} or try again at ${localText(resetsAt)}.`);
}

/** On a 429 with a Retry-After it waits that long. Only its log names the time, if it is asked for it (0.169.0). */
function waitAtLimit(run, resetsAt) {
  run.print({ type: 'error', message: `Reconnecting... 1/5 (${failures[429]})` });
  if (!process.env.RUST_LOG?.includes('codex_core::responses_retry=warn')) return;
  const wait = `${Math.max(1, resetsAt - Date.now()) / 1000}s`;
  process.stderr.write(
    `${new Date().toISOString()}  WARN codex_core::responses_retry: stream disconnected - retrying sampling request (1/5 in ${wait})... turn_id=1 retries=1 max_retries=5 sampling_error=${failures[429]}\n`,
  );
}

const title = `codex-cli ${version}`;

export default {
  id: 'codex',
  version: title,
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
};
