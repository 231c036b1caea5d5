/** The workflows that are killed at every point. Each prompt begins with the path of its step in brackets. */
import { randomBytes } from 'node:crypto';
import type { AgentAction, AgentRule } from '../rig/stand-in.js';

export interface CrashScene {
  readonly workflow: string;
  /** Further workflows, by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly rules: readonly AgentRule[];
  /** Inputs of the action in addition to those that every scene has. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** The path of the step of a prompt, if it is not in the prompt. */
  pathOf?(prompt: string): string | undefined;
  /** Steps that the workflow itself runs again after they passed. */
  readonly repeated?: readonly string[];
  /** How the run ends. Default: `passed`. */
  readonly status?: 'paused' | 'waiting';
  /** The run is for a pull request, with GitHub's API on loopback. */
  readonly isOnPull?: boolean;
  /** An earlier and a later run of the same pull request, which are one conversation with this one. */
  readonly isContinued?: boolean;
  /** What the run publishes. Default: nothing. */
  readonly published?: readonly string[];
}

const plan = JSON.stringify(['a', 'b'].map((name) => ({ name, description: `task ${name}` })));
const verdict = JSON.stringify({ pass: true, comments: 'good' });
const refusal = JSON.stringify({ pass: false, comments: 'write it longer' });

/** Steps by name with the text that each writes. It cannot be compressed, so the state is soon stored as a whole again. */
const manySteps: Readonly<Record<string, string>> = Object.fromEntries(
  ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].map((name) => [
    name,
    randomBytes(20_000).toString('hex'),
  ]),
);

const resetsAt = Date.now() + 2 * 24 * 3_600_000;

/** Two files with a pause after each. */
const slowly = (name: string): readonly AgentAction[] =>
  ['1', '2'].flatMap((number) => [{ write: `${name}-${number}.txt`, content: number }, { sleep: 2000 }]);

export const crashScenes: Readonly<Record<string, CrashScene>> = {
  sequence: {
    workflow: `name: flow
steps:
  - {name: one, type: code, agent: claude-haiku, prompt: "[one]"}
  - {name: two, type: code, agent: codex, prompt: "[two]", gate: [{bash: "test -s two.txt"}]}
  - {name: three, type: code, agent: claude-haiku, prompt: "[three]", session: {from: one}}
`,
    rules: [
      { prompt: '[three]', do: [{ write: 'three.txt', content: '3' }] },
      { prompt: '[two]', do: [{ write: 'two.txt', content: '2' }] },
      { do: [{ write: 'one.txt', content: '1' }] },
    ],
  },
  /** Enough steps that checkpoints of the beginning are deleted, also on a slow machine, where one may skip a step. */
  artifacts: {
    workflow: `name: flow
steps:
${Object.keys(manySteps)
  .map((name) => `  - {name: ${name}, type: code, agent: claude-haiku, prompt: "[${name}]"}`)
  .join('\n')}
`,
    rules: Object.keys(manySteps).map((name) => ({
      prompt: `[${name}]`,
      do: [{ write: `${name}.txt`, content: manySteps[name] ?? '' }],
    })),
    inputs: { 'state-store': 'artifact' },
  },
  split: {
    workflow: `name: flow
steps:
  - name: build
    type: split
    parallel: true
    max_parallel: 2
    agent: claude-haiku
    prompt: "[build]"
    each:
      - {name: impl, type: code, agent: claude-haiku, prompt: "[build/{task.name}/impl]"}
  - {name: last, type: code, agent: codex, prompt: "[last]"}
`,
    rules: [
      { prompt: '[build]', do: [{ write: '.gump/out/plan.json', content: plan }] },
      { prompt: '[build/a/impl]', do: [{ write: 'a.txt', content: 'a' }] },
      { prompt: '[build/b/impl]', do: [{ write: 'b.txt', content: 'b' }] },
      { prompt: '[last]', do: [{ write: 'last.txt', content: 'last' }] },
    ],
  },
  parallel: {
    workflow: `name: flow
steps:
  - name: both
    parallel: true
    max_parallel: 2
    steps:
      - {name: left, type: code, agent: claude-haiku, prompt: "[both/left]"}
      - {name: right, type: code, agent: codex, prompt: "[both/right]"}
  - {name: end, type: code, agent: claude-haiku, prompt: "[end]"}
`,
    rules: [
      { prompt: '[both/left]', do: [{ write: 'left.txt', content: 'l' }] },
      { prompt: '[both/right]', do: [{ write: 'right.txt', content: 'r' }] },
      { prompt: '[end]', do: [{ write: 'end.txt', content: 'e' }] },
    ],
  },
  retry: {
    workflow: `name: flow
steps:
  - name: fix
    type: code
    agent: claude-haiku
    prompt: "[fix]"
    gate: [{bash: "grep -q good fix.txt || { echo 'the file must be better'; exit 1; }"}]
    retry: [{exit: 4}]
  - {name: end, type: code, agent: claude-haiku, prompt: "[end]"}
`,
    rules: [
      { prompt: '[end]', do: [{ write: 'end.txt', content: 'e' }] },
      { prompt: 'must be better', do: [{ write: 'fix.txt', content: 'good' }] },
      { prompt: '[fix]', do: [{ write: 'fix.txt', content: 'bad' }] },
    ],
  },
  validator: {
    workflow: `name: flow
steps:
  - name: text
    type: code
    agent: claude-haiku
    prompt: "[text]"
    gate: [{validate: review}]
    retry: [{exit: 4}]
  - {name: end, type: code, agent: codex, prompt: "[end]"}
`,
    files: {
      '.gump/workflows/review.yaml':
        'name: review\nsteps:\n  - {name: judge, type: validate, agent: codex, prompt: "[judge]", context: [{file: text.txt}]}\n',
    },
    pathOf: (prompt) =>
      prompt.includes('[judge]')
        ? `text/gate:review:${prompt.includes('a long text') ? 2 : 1}/judge`
        : undefined,
    rules: [
      { prompt: '[end]', do: [{ write: 'end.txt', content: 'e' }] },
      { prompt: 'a long text', do: [{ write: '.gump/out/validate.json', content: verdict }] },
      { prompt: '[judge]', do: [{ write: '.gump/out/validate.json', content: refusal }] },
      { prompt: 'write it longer', do: [{ write: 'text.txt', content: 'a long text' }] },
      { prompt: '[text]', do: [{ write: 'text.txt', content: 'short' }] },
    ],
  },
  conflict: {
    workflow: `name: flow
steps:
  - name: both
    parallel: true
    max_parallel: 2
    retry: [{exit: 2}]
    steps:
      - {name: left, type: code, agent: claude-haiku, prompt: "[both/left]"}
      - {name: right, type: code, agent: claude-haiku, prompt: "[both/right]"}
`,
    repeated: ['both/right'],
    rules: [
      { prompt: 'conflict with those of', do: [{ write: 'right.txt', content: 'r' }] },
      { prompt: '[both/left]', do: [{ write: 'same.txt', content: 'l' }] },
      { prompt: '[both/right]', do: [{ write: 'same.txt', content: 'r' }] },
    ],
  },
  /** A service that refuses for now, a session that disappears, and a retry that asks a workflow. */
  obstacles: {
    workflow: `name: flow
steps:
  - {name: slow, type: code, agent: claude-haiku, prompt: "[slow]", gate: [{bash: "rm -rf \\"$HOME/.claude/projects\\""}]}
  - {name: lost, type: code, agent: claude-haiku, prompt: "[lost]", session: {from: slow}}
  - name: asked
    type: code
    agent: codex
    prompt: "[asked] first"
    gate: [{bash: "test -e asked.txt"}]
    retry:
      - {validate: ready, prompt: "[asked] again"}
      - {exit: 4}
`,
    files: { '.gump/workflows/ready.yaml': 'name: ready\nsteps:\n  - {name: yes, gate: [{bash: "true"}]}\n' },
    rules: [
      {
        prompt: '[slow]',
        call: 1,
        do: [{ fail: 429, message: 'Rate limit reached. Please try again in 0.1s.', retryAfterMs: 100 }],
      },
      { prompt: '[asked] again', do: [{ write: 'asked.txt', content: 'a' }] },
      { prompt: '[asked]', do: [{ say: 'not yet' }] },
      { prompt: '[lost]', do: [{ write: 'lost.txt', content: 'l' }] },
      { prompt: '[slow]', do: [{ write: 'slow.txt', content: 's' }] },
    ],
  },
  /** Agents that are recorded while they are at work, with settings that an earlier step changed set aside. */
  recorded: {
    workflow: `name: flow
steps:
  - {name: first, type: code, agent: codex, prompt: "[first]"}
  - name: both
    parallel: true
    max_parallel: 2
    steps:
      - {name: left, type: code, agent: claude-haiku, prompt: "[both/left]"}
      - {name: right, type: code, agent: codex, prompt: "[both/right]"}
`,
    inputs: { 'checkpoint-interval': '500ms' },
    rules: [
      { prompt: '[both/left]', do: slowly('left') },
      { prompt: '[both/right]', do: slowly('right') },
      { prompt: '[first]', do: [{ write: '.claude/settings.json', content: '{}' }] },
    ],
  },
  paused: {
    workflow: `name: flow
steps:
  - {name: one, type: code, agent: claude-haiku, prompt: "[one]", hitl: after_gate}
  - {name: two, type: code, agent: claude-haiku, prompt: "[two]"}
`,
    status: 'paused',
    rules: [{ prompt: '[one]', do: [{ write: 'one.txt', content: '1' }] }],
  },
  /** A usage limit that resets after the test. */
  waiting: {
    workflow: `name: flow
steps:
  - {name: one, type: code, agent: claude-haiku, prompt: "[one]"}
  - {name: two, type: code, agent: codex, prompt: "[two]"}
`,
    status: 'waiting',
    rules: [
      { prompt: '[two]', do: [{ write: 'two.txt', content: '2' }, { usageLimit: { resetsAt } }] },
      { do: [{ write: 'one.txt', content: '1' }] },
    ],
  },
  /** A session of an earlier run: it is announced, and stored again by `post`. */
  continued: {
    workflow: `name: flow
steps:
  - {name: again, type: code, agent: claude-haiku, prompt: "[again]", session: {from: again, run: previous}}
`,
    isOnPull: true,
    isContinued: true,
    rules: [{ do: [{ write: 'again.txt', content: 'a' }] }],
  },
  published: {
    workflow: `name: flow
steps:
  - {name: one, type: code, agent: claude-haiku, prompt: "[one]"}
  - {name: two, type: code, agent: codex, prompt: "[two]"}
`,
    isOnPull: true,
    inputs: { apply: 'push', comment: 'always', 'commit-message': 'Change by agents' },
    published: ['commit: Change by agents', 'comment by github-actions[bot]'],
    rules: [
      { prompt: '[two]', do: [{ write: 'two.txt', content: '2' }] },
      { do: [{ write: 'one.txt', content: '1' }] },
    ],
  },
};
