/** How each service sends an answer: streamed events, one JSON value, or an error. */
import type { ServerResponse } from 'node:http';
import { type ModelAnswer, type ToolCall, toolCall } from './answer.js';
import { errorAnswer } from './errors.js';
import type { Json, ModelRequest, WireFormat } from './request.js';

/** Every answer uses 100 input tokens (7 of them from the cache) and 20 output tokens, so that tests can count. */
export const usagePerAnswer = { input: 100, cached: 7, output: 20 };

type StreamEvent = Readonly<Record<string, Json>>;

function anthropicEvents(id: string, text: string, call: ToolCall | undefined): readonly StreamEvent[] {
  const usage = {
    input_tokens: usagePerAnswer.input,
    cache_read_input_tokens: usagePerAnswer.cached,
    cache_creation_input_tokens: 5,
    output_tokens: 1,
  };
  const message = {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model: 'mock',
    content: [],
    stop_reason: null,
    usage,
  };
  const blocks = [
    ...(text === ''
      ? []
      : [
          [
            { type: 'text', text: '' },
            { type: 'text_delta', text },
          ],
        ]),
    ...(call
      ? [
          [
            { type: 'tool_use', id: `toolu_${id}`, name: call.name, input: {} },
            { type: 'input_json_delta', partial_json: JSON.stringify(call.input) },
          ],
        ]
      : []),
  ];
  return [
    { type: 'message_start', message },
    ...blocks.flatMap(([content_block, delta], index) => [
      { type: 'content_block_start', index, content_block },
      { type: 'content_block_delta', index, delta },
      { type: 'content_block_stop', index },
    ]),
    {
      type: 'message_delta',
      delta: { stop_reason: call ? 'tool_use' : 'end_turn' },
      usage: { output_tokens: usagePerAnswer.output },
    },
    { type: 'message_stop' },
  ];
}

function responsesEvents(id: string, text: string, call: ToolCall | undefined): readonly StreamEvent[] {
  const message = {
    type: 'message',
    id: `msg_${id}`,
    role: 'assistant',
    content: [{ type: 'output_text', text }],
  };
  const base = { id: `call_item_${id}`, call_id: `call_${id}`, name: call?.name };
  const output = call?.custom
    ? { ...base, type: 'custom_tool_call', input: call.input }
    : { ...base, type: 'function_call', arguments: JSON.stringify(call?.input) };
  const usage = {
    input_tokens: usagePerAnswer.input,
    input_tokens_details: { cached_tokens: usagePerAnswer.cached },
    output_tokens: usagePerAnswer.output,
    output_tokens_details: { reasoning_tokens: 3 },
    total_tokens: usagePerAnswer.input + usagePerAnswer.output,
  };
  return [
    { type: 'response.created', response: { id: `resp_${id}` } },
    ...[...(text === '' ? [] : [message]), ...(call ? [output] : [])].map((entry, output_index) => ({
      type: 'response.output_item.done',
      output_index,
      item: entry,
    })),
    { type: 'response.completed', response: { id: `resp_${id}`, usage } },
  ];
}

function chatEvents(id: string, text: string, call: ToolCall | undefined): readonly StreamEvent[] {
  const chunk = (rest: StreamEvent): StreamEvent => ({
    id: `chatcmpl-${id}`,
    object: 'chat.completion.chunk',
    created: 1,
    model: 'mock',
    ...rest,
  });
  const tool_calls = call && [
    {
      index: 0,
      id: `call_${id}`,
      type: 'function',
      function: { name: call.name, arguments: JSON.stringify(call.input) },
    },
  ];
  const usage = {
    prompt_tokens: usagePerAnswer.input,
    completion_tokens: usagePerAnswer.output,
    total_tokens: usagePerAnswer.input + usagePerAnswer.output,
    prompt_tokens_details: { cached_tokens: usagePerAnswer.cached },
  };
  return [
    chunk({
      choices: [
        {
          index: 0,
          delta: { role: 'assistant', content: text, ...(tool_calls ? { tool_calls } : {}) },
          finish_reason: null,
        },
      ],
    }),
    chunk({ choices: [{ index: 0, delta: {}, finish_reason: call ? 'tool_calls' : 'stop' }] }),
    chunk({ choices: [], usage }),
  ];
}

function geminiEvents(_id: string, text: string, call: ToolCall | undefined): readonly StreamEvent[] {
  const parts = [
    ...(text === '' ? [] : [{ text }]),
    ...(call ? [{ functionCall: { name: call.name, args: call.input } }] : []),
  ];
  const usageMetadata = {
    promptTokenCount: usagePerAnswer.input,
    candidatesTokenCount: usagePerAnswer.output,
    totalTokenCount: usagePerAnswer.input + usagePerAnswer.output,
    cachedContentTokenCount: usagePerAnswer.cached,
  };
  return [
    {
      candidates: [{ index: 0, content: { role: 'model', parts: parts }, finishReason: 'STOP' }],
      usageMetadata,
    },
  ];
}

const events = {
  anthropic: anthropicEvents,
  responses: responsesEvents,
  chat: chatEvents,
  gemini: geminiEvents,
};

/** The whole answer as one JSON value, for callers that do not stream (only Claude and Gemini do that). */
function wholeAnswer(
  format: WireFormat,
  list: readonly StreamEvent[],
  text: string,
  call: ToolCall | undefined,
): Json {
  if (format !== 'anthropic') return list.at(-1);
  const content = [
    ...(text === '' ? [] : [{ type: 'text', text }]),
    ...(call ? [{ type: 'tool_use', id: 'toolu_whole', name: call.name, input: call.input }] : []),
  ];
  return { ...list[0]?.message, content, stop_reason: call ? 'tool_use' : 'end_turn' };
}

/** Writes the answer to the waiting CLI. */
export function sendAnswer(
  request: ModelRequest,
  answer: ModelAnswer,
  id: string,
  http: ServerResponse,
): void {
  if ('hang' in answer) return;
  if ('fail' in answer) {
    const { status, headers, body } = errorAnswer(request.format, answer);
    http.writeHead(status, headers).end(JSON.stringify(body));
    return;
  }
  const { format, body, path } = request;
  const text = 'say' in answer ? answer.say : 'cut' in answer ? 'half an' : '';
  const call = toolCall(answer, body);
  const list = events[format](id, text, call);
  if (format === 'gemini' ? !path.includes(':stream') : body.stream !== true) {
    if ('cut' in answer) return void http.destroy();
    http.writeHead(200, { 'content-type': 'application/json' });
    http.end(JSON.stringify(wholeAnswer(format, list, text, call)));
    return;
  }
  http.writeHead(200, { 'content-type': 'text/event-stream' });
  const hasEventNames = format === 'anthropic' || format === 'responses';
  const stream = list
    .map((event) => `${hasEventNames ? `event: ${event.type}\n` : ''}data: ${JSON.stringify(event)}\n\n`)
    .join('');
  http.write('cut' in answer ? stream.slice(0, stream.length / 2) : stream);
  // Not immediately: otherwise the written data is lost with the connection.
  if ('cut' in answer) return void setTimeout(() => http.destroy(), 50);
  http.end(format === 'chat' ? 'data: [DONE]\n\n' : '');
}
