/**
 * The real CLIs, lost with their machine in the middle of a turn after a checkpoint that was stored while they were at
 * work (`checkpoint-interval`): during a model call, and during a tool call that has no result yet. The re-run resumes
 * the session as it was at the checkpoint, and what the CLI then sends is a valid conversation.
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ModelRequest, ModelRule } from '../rig/model-server.js';
import type { RealCli } from './real-cli.js';
import {
  agentNameOf,
  attemptsOf,
  createRealCliHarness,
  currentClis,
  hasUserText,
  titleOf,
} from './real-cli-harness.js';

const workflow = (agent: string): string => `name: interval
steps:
  - name: first
    type: code
    agent: ${agent}
    prompt: "TOKEN-first Begin. [[say:Begun.]]"
  - name: work
    type: code
    agent: ${agent}
    session: from: first
    prompt: "TOKEN-work Write it."
    gate:
      - touched: "part.txt"
`;

const isWork = ({ prompt }: ModelRequest): boolean => prompt.includes('TOKEN-work');

/** Where the machine is lost. */
const moments = ['during a model call', 'during a tool call'] as const;

/** The model writes a file, then does not answer or calls a tool that does not end. After a re-run it is done. */
function answersBefore(moment: (typeof moments)[number]): { readonly rule: ModelRule; isRerun: boolean } {
  const state = {
    isRerun: false,
    rule: (request: ModelRequest) => {
      if (!isWork(request)) return undefined;
      if (state.isRerun) return { say: 'Done.' };
      if (request.toolResults === 0) return { write: { path: 'part.txt', content: 'half' } };
      return moment === 'during a model call'
        ? { hang: true as const }
        : { bash: 'touch started.txt; sleep 300' };
    },
  };
  return state;
}

/** An export of OpenCode takes seconds. `waitMs`: for an interval that starts after this, and for its checkpoint. */
const timesOf = ({ provider }: RealCli) =>
  provider.id === 'opencode' ? { interval: '8s', waitMs: 20_000 } : { interval: '2s', waitMs: 8_000 };

describe.each(currentClis.map((cli) => [titleOf(cli), cli] as const))('%s', (_name, cli: RealCli) => {
  test.each(moments)(
    'lost %s: the conversation continues at the checkpoint',
    { timeout: 400_000 },
    async (moment) => {
      const times = timesOf(cli);
      const answers = answersBefore(moment);
      const { runJob, model } = await createRealCliHarness(workflow(agentNameOf(cli)), [answers.rule]);
      let reachedAt: number | undefined;
      let directory = '';
      const isReached = async () => {
        if (moment === 'during a model call')
          return model.requests.some((request) => isWork(request) && request.toolResults === 1);
        return access(join(directory, 'started.txt')).then(
          () => true,
          () => false,
        );
      };
      const lost = await runJob(cli, 1, {
        inputs: { 'checkpoint-interval': times.interval },
        prepare: (machine) => {
          directory = machine.workspace;
        },
        stop: {
          how: 'lose',
          when: {
            async until() {
              if (reachedAt === undefined && (await isReached())) reachedAt = Date.now();
              return reachedAt !== undefined && Date.now() - reachedAt > times.waitMs;
            },
          },
        },
      });
      expect(lost.main.signal, lost.main.log).toBe('SIGKILL');
      expect(lost.main.log).toContain('Storing a checkpoint while the agent of step `work` is at work');
      expect(lost.main.warnings.filter((warning) => warning.includes('at work'))).toEqual([]);

      answers.isRerun = true;
      const passed = await runJob(cli, 2);
      expect(passed.main.outputs, passed.main.log).toMatchObject({ status: 'passed', resumed: 'true' });
      expect(attemptsOf(passed, 'work')).toMatchObject([
        { number: 1, jobAttempt: 1, status: 'cancelled' },
        {
          number: 1,
          jobAttempt: 2,
          session: { effective: 'resumed', reason: 'continued' },
          status: 'passed',
        },
      ]);
      const [request] = passed.requests;
      expect(hasUserText(request, 'TOKEN-first')).toBe(true);
      const prompts = request?.userTexts.filter((text) => text.includes('TOKEN-work')) ?? [];
      expect(prompts).toHaveLength(2);
      expect(prompts[1]).toContain('You were interrupted');
      expect(JSON.stringify(request?.body)).toContain('part.txt');
      expect(unansweredCalls(request)).toEqual([]);
    },
  );
});

/** The ids of tool calls in the request without a result. The services refuse such a request. */
function unansweredCalls(request: ModelRequest | undefined): readonly string[] {
  const { messages = [], input = [], contents = [] } = request?.body ?? {};
  // biome-ignore lint/suspicious/noExplicitAny: four wire formats, read field by field
  const parts: readonly any[] = [
    ...messages.flatMap((message: { content: unknown }) =>
      Array.isArray(message.content) ? [message, ...message.content] : [message],
    ),
    ...(Array.isArray(input) ? input : []),
    ...contents.flatMap((content: { parts: unknown[] }) => content.parts),
  ];
  const calls = parts.flatMap((part) => [
    ...(part.type === 'tool_use' ? [part.id] : []),
    ...(part.tool_calls ?? []).map(({ id }: { id: string }) => id),
    ...(/_call$/.test(part.type ?? '') ? [part.call_id] : []),
    ...(part.functionCall ? [part.functionCall.id ?? part.functionCall.name] : []),
  ]);
  const results = parts.flatMap((part) => [
    ...(part.type === 'tool_result' ? [part.tool_use_id] : []),
    ...(part.role === 'tool' ? [part.tool_call_id] : []),
    ...(/_call_output$/.test(part.type ?? '') ? [part.call_id] : []),
    ...(part.functionResponse ? [part.functionResponse.id ?? part.functionResponse.name] : []),
  ]);
  return calls.filter((id) => !results.includes(id));
}
