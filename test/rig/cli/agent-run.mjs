/**
 * One run of an agent: counts answers and usage, and passes events to the CLI's module, which prints them and writes
 * the session file.
 */

/** The usage of one answer of the model; a rule may override it. */
const defaultUsage = {
  inputTokens: 100,
  outputTokens: 20,
  cacheReadTokens: 7,
  cacheWriteTokens: 10,
  costUsd: 0.001,
};

export function createAgent(cli, request, session, prompt, rule) {
  const lines = [];
  // The session file is written before the stream, because a test may kill the process when it reads the stream.
  const flushed = (work) => {
    const result = work();
    if (lines.length > 0) process.stdout.write(`${lines.splice(0).join('\n')}\n`);
    return result;
  };
  const run = {
    request,
    session,
    prompt,
    cwd: request.cwd ?? process.cwd(),
    perAnswer: { ...defaultUsage, ...rule.usage },
    answers: 0,
    tools: 0,
    denials: [],
    text: undefined,
    startedAt: Date.now(),
    print: (event) => lines.push(JSON.stringify(event)),
  };
  const agent = {
    cwd: run.cwd,
    session,
    begin: () => flushed(() => cli.begin(run)),
    /** An answer with text only. */
    say: (text) => flushed(() => answer(cli, run, { text })),
    /** An answer with one tool call, its result, and text before it if `tool.say` is set. */
    tool: (tool) => flushed(() => answer(cli, run, { tool })),
    mayWrite: (path) => cli.mayWrite?.(run, path) ?? true,
    mayRun: () => cli.mayRun?.(run) ?? true,
    fail(failure) {
      process.exitCode = flushed(() => cli.fail(run, failure));
    },
    /** Returns true if the CLI has ended. */
    limit({ resetsAt, waits = false }) {
      const code = flushed(() => (waits ? cli.waitAtLimit(run, resetsAt) : cli.limit(run, resetsAt)));
      if (!waits) process.exitCode = code;
      return !waits;
    },
    finish() {
      if (run.text === undefined && flushed(() => answer(cli, run, { text: 'ok' }))) return;
      process.exitCode = flushed(() => cli.finish(run)) ?? 0;
    },
    hasTurnLimit: () => run.request.maxTurns !== undefined && run.answers >= run.request.maxTurns,
  };
  return agent;
}

/** Returns true if the CLI's own limit of turns ended the run. */
function answer(cli, run, { text, tool }) {
  if (run.request.maxTurns !== undefined && run.answers >= run.request.maxTurns) {
    process.exitCode = cli.fail(run, { kind: 'max-turns' });
    return true;
  }
  run.answers += 1;
  if (tool) {
    run.tools += 1;
    if (tool.isDenied) run.denials.push(tool);
    cli.tool(run, tool);
  } else {
    run.text = text;
    cli.say(run, text);
  }
  return false;
}

/** Sums of a usage over the answers of this run. */
export function totalUsage(run) {
  const times = (name) => run.perAnswer[name] * run.answers;
  return {
    inputTokens: times('inputTokens'),
    outputTokens: times('outputTokens'),
    cacheReadTokens: times('cacheReadTokens'),
    cacheWriteTokens: times('cacheWriteTokens'),
    costUsd: times('costUsd'),
  };
}

/** The message of the API and its status for a kind of failure, the same for all CLIs. */
export const apiErrors = {
  400: {
    status: 400,
    type: 'invalid_request_error',
    message: 'No tool output found for function call call_1.',
  },
  401: { status: 401, type: 'authentication_error', message: 'invalid x-api-key' },
  429: { status: 429, type: 'rate_limit_error', message: 'This request would exceed your rate limit.' },
  500: { status: 500, type: 'api_error', message: 'Internal server error' },
  529: { status: 529, type: 'overloaded_error', message: 'Overloaded' },
};
