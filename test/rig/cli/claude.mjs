/**
 * Claude Code 2.1.330, second half: stream-json, compared with recordings of the real CLI in `rig-tests`.
 * Usage is that of the run; cost and `modelUsage` are those of the whole session.
 */
import { randomUUID } from 'node:crypto';
import { apiErrors, totalUsage } from './agent-run.mjs';
import { mayRun, mayWrite, open, parse, version } from './claude-session.mjs';
import { append } from './files.mjs';
import { clockText } from './reset-texts.mjs';

const modelOf = (request) => request.model ?? 'claude-opus-5-5';

function begin(run) {
  const { session, cwd, request } = run;
  const common = { cwd, session_id: session.id, model: modelOf(request), permissionMode: request.permission };
  const tools = ['Bash', 'Edit', 'Glob', 'Grep', 'Read', 'Write'];
  run.print({
    type: 'system',
    subtype: 'init',
    ...common,
    tools,
    claude_code_version: version,
    uuid: randomUUID(),
  });
  requesting(run);
  appendEntry(run, 'user', { role: 'user', content: run.prompt });
}

function requesting(run) {
  print(run, { type: 'system', subtype: 'status', status: 'requesting' });
}

function print(run, event) {
  run.print({ ...event, session_id: run.session.id, uuid: randomUUID() });
}

function appendEntry(run, type, message) {
  const { session, cwd } = run;
  append(session.file, { type, sessionId: session.id, cwd, version, uuid: randomUUID(), message });
}

function usageOf(usage) {
  return {
    input_tokens: usage.inputTokens,
    cache_creation_input_tokens: usage.cacheWriteTokens,
    cache_read_input_tokens: usage.cacheReadTokens,
    output_tokens: usage.outputTokens,
  };
}

function say(run, text) {
  answer(run, [{ type: 'text', text }], 'end_turn');
}

function tool(run, tool) {
  const id = `toolu_${run.answers}`;
  const input = tool.command === undefined ? { file_path: tool.path } : { command: tool.command };
  const words = tool.say === undefined ? [] : [{ type: 'text', text: tool.say }];
  answer(run, [...words, { type: 'tool_use', id, name: tool.name, input }], 'tool_use');
  const isError = Boolean(tool.isDenied) || (tool.exitCode ?? 0) !== 0;
  const result = { tool_use_id: id, type: 'tool_result', content: tool.output ?? '', is_error: isError };
  const message = { role: 'user', content: [result] };
  print(run, { type: 'user', message, parent_tool_use_id: null });
  appendEntry(run, 'user', message);
  const isLast = run.request.maxTurns !== undefined && run.answers >= run.request.maxTurns;
  if (!isLast) requesting(run);
}

/**
 * Every block of an answer is a separate line with the message's id. The lines report one output token, as the start
 * of the answer does; only the parts (`--include-partial-messages`) have the final number.
 */
function answer(run, blocks, stopReason) {
  const whole = usageOf(run.perAnswer);
  const usage = { ...whole, output_tokens: 1 };
  const message = {
    id: `msg_${randomUUID()}`,
    type: 'message',
    role: 'assistant',
    model: modelOf(run.request),
  };
  part(run, { type: 'message_start', message: { ...message, content: [], stop_reason: null, usage } });
  for (const [index, block] of blocks.entries()) {
    part(run, { type: 'content_block_start', index, content_block: { ...block, ...empty(block) } });
    part(run, { type: 'content_block_delta', index, delta: delta(block) });
    const line = { ...message, content: [block], stop_reason: null, usage };
    print(run, { type: 'assistant', message: line, parent_tool_use_id: null });
    part(run, { type: 'content_block_stop', index });
    appendEntry(run, 'assistant', { ...line, usage: whole });
  }
  const output = { output_tokens: whole.output_tokens };
  part(run, { type: 'message_delta', delta: { stop_reason: stopReason }, usage: output });
  part(run, { type: 'message_stop' });
}

function part(run, event) {
  if (run.request.isPartial) print(run, { type: 'stream_event', event, parent_tool_use_id: null });
}

const empty = ({ type }) => (type === 'text' ? { text: '' } : { input: {} });

function delta(block) {
  if (block.type === 'text') return { type: 'text_delta', text: block.text };
  return { type: 'input_json_delta', partial_json: JSON.stringify(block.input) };
}

function finish(run) {
  const fields = { subtype: 'success', is_error: false, api_error_status: null, result: run.text };
  result(run, { ...fields, stop_reason: 'end_turn', terminal_reason: 'completed', num_turns: run.answers });
}

/** `type` is not the first key in the real line either. */
function result(run, fields) {
  const usage = totalUsage(run);
  const total = Number((run.session.costBefore + usage.costUsd).toFixed(7));
  print(run, {
    duration_ms: Date.now() - run.startedAt,
    total_cost_usd: total,
    usage: usageOf(usage),
    modelUsage: modelUsage(run, usage, total),
    permission_denials: run.denials.map(({ name, path }) => ({
      tool_name: name,
      tool_input: { file_path: path },
    })),
    ...fields,
    type: 'result',
    model_usage_since_last_result: modelUsage(run, usage, usage.costUsd),
  });
  append(run.session.file, { type: 'cost-state', sessionId: run.session.id, totalCostUSD: total });
}

function modelUsage(run, usage, costUSD) {
  if (run.answers === 0) return {};
  return {
    [modelOf(run.request)]: { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens, costUSD },
  };
}

function fail(run, { kind, message, retryAfterMs }) {
  if (kind === 'max-turns') {
    const errors = [message ?? `Reached maximum number of turns (${run.request.maxTurns})`];
    const turns = { stop_reason: 'tool_use', terminal_reason: 'max_turns', num_turns: run.answers + 1 };
    result(run, { subtype: 'error_max_turns', is_error: true, errors, ...turns });
    return 1;
  }
  const { status, type, error, text, reason } = failure(kind);
  // The CLI passes a Retry-After on as a delay above its own backoff.
  const retry = {
    attempt: 1,
    max_retries: 1,
    retry_delay_ms: retryAfterMs ?? 586,
    error_status: status,
    error,
  };
  if (reason === 'api_error') print(run, { type: 'system', subtype: 'api_retry', ...retry });
  return refuse(run, { status, type, error, text: message ?? text, reason });
}

/** The error as an answer of no model, and as the result. */
function refuse(run, { status, type, error, text: words, reason }) {
  const usage = usageOf({ inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 });
  const content = [{ type: 'text', text: words }];
  const reply = {
    id: randomUUID(),
    model: '<synthetic>',
    role: 'assistant',
    type: 'message',
    usage,
    content,
  };
  const codes = { api_error_status: status, api_error_type: type };
  print(run, {
    type: 'assistant',
    message: reply,
    parent_tool_use_id: null,
    error,
    is_api_error_message: true,
    ...codes,
  });
  const fields = { subtype: 'success', is_error: true, ...codes, result: words };
  result(run, {
    ...fields,
    stop_reason: 'stop_sequence',
    terminal_reason: reason,
    num_turns: run.answers + 1,
  });
  return 1;
}

/** The window of a subscription is used up (2.1.330). */
function limit(run, resetsAt) {
  const window = { rateLimitType: 'five_hour', overageStatus: 'rejected', isUsingOverage: false };
  const rate_limit_info = { status: 'rejected', resetsAt: Math.ceil(resetsAt / 1000), ...window };
  print(run, { type: 'rate_limit_event', rate_limit_info });
  const text = `You've hit your 5-hour limit · resets ${clockText(resetsAt)}`;
  return refuse(run, {
    status: 429,
    type: 'rate_limit_error',
    error: 'rate_limit',
    text,
    reason: 'api_error',
  });
}

/** A limit of the service with a long Retry-After, for which the CLI waits. */
function waitAtLimit(run, resetsAt) {
  const retry_delay_ms = Math.max(1, resetsAt - Date.now());
  const retry = { attempt: 1, max_retries: 10, retry_delay_ms, error_status: 429, error: 'rate_limit' };
  print(run, { type: 'system', subtype: 'api_retry', ...retry });
}

const errorNames = { 400: 'invalid_request', 401: 'authentication_failed', 429: 'rate_limit' };

function failure(kind) {
  if (kind === 'context') {
    const text = 'Prompt is too long · the request is ~250000 tokens (limit 200000)';
    return {
      status: 400,
      type: 'invalid_request_error',
      error: 'invalid_request',
      text,
      reason: 'prompt_too_long',
    };
  }
  const { status, type, message } = apiErrors[kind];
  const texts = {
    400: 'API Error: 400 due to tool use concurrency issues.',
    401: `Failed to authenticate. API Error: 401 ${message}`,
    429: `API Error: Request rejected (429) · ${message}`,
  };
  const text = texts[kind] ?? `API Error: ${status} ${message}`;
  return { status, type, error: errorNames[kind] ?? 'server_error', text, reason: 'api_error' };
}

const title = `${version} (Claude Code)`;

export default {
  id: 'claude',
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
  mayRun,
};
