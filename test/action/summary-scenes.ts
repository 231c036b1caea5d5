/**
 * Nine runs with everything that a summary can show. The tests compare their summaries with recorded ones, and
 * `scripts/screenshots.mjs` takes pictures of them.
 */
import type { StageResult, Stop } from '../rig/machine.js';
import type { AgentRule } from '../rig/stand-in.js';
import type { RunJobOptions } from './harness.js';

export interface SummaryScene {
  readonly name: string;
  readonly workflow: string;
  readonly files: Readonly<Record<string, string>>;
  /** The job attempts. The summary is that of the last one. */
  readonly jobs: readonly SceneJob[];
  readonly status: string;
}

function inHours(hours: number): number {
  return Date.now() + hours * 3_600_000;
}

export interface SceneJob extends Pick<RunJobOptions, 'jobAttempt' | 'inputs'> {
  readonly stop?: Stop;
  readonly rules: readonly AgentRule[];
}

const files = {
  'package.json': '{ "name": "shop", "scripts": { "test": "node --test" } }\n',
  'src/login.ts': "export const login = (user: string) => user !== '';\n",
  'src/session.ts': 'export const timeout = 0;\n',
  'README.md': '# Shop\n',
};

const tdd = `name: tdd
steps:
  - name: tests
    type: code
    agent: claude-sonnet
    prompt: Write tests that fail for {spec}.
    gate: [{touched: "test/**"}]
  - name: impl
    type: code
    agent: claude-sonnet
    session: from: tests
    prompt: Make the tests pass.
    gate: [{untouched: "test/**"}, {bash: "sh check.sh"}]
    retry: [{exit: 2}]
  - name: docs
    type: code
    agent: codex
    prompt: Document it.
    gate: [{touched: "**/*.md"}]
`;

/** Prints what a failed run of tests prints. */
const check = `if grep -q 'trim' src/login.ts; then echo 'all tests pass'; exit 0; fi
cat <<'END'
 FAIL  test/login.test.ts > login > rejects a name of blanks
AssertionError: expected true to be false // Object.is equality
    test/login.test.ts:9:27
 Test Files  1 failed (1)
      Tests  1 failed | 4 passed (5)
END
exit 1
`;

const price = (costUsd: number, inputTokens: number, outputTokens: number) => ({
  costUsd,
  inputTokens,
  outputTokens,
});

const testsRule: AgentRule = {
  prompt: 'Write tests',
  usage: price(0.0412, 18_204, 1204),
  do: [
    {
      write: 'test/login.test.ts',
      content: "import { test } from 'node:test';\n\ntest('login', () => {});\n",
    },
    { say: 'I wrote 5 tests for the login. They fail, because the name is not trimmed.' },
  ],
};

const goodLogin = "export const login = (user: string) => user.trim() !== '';\n";

const implRule: AgentRule = {
  prompt: 'Make the tests pass',
  usage: price(0.0633, 24_310, 1811),
  do: [
    { write: 'src/login.ts', content: goodLogin },
    { say: 'The login trims the name now. All tests pass.' },
  ],
};

const docsRule: AgentRule = {
  prompt: 'Document it',
  usage: { inputTokens: 9020, outputTokens: 412 },
  do: [{ write: 'README.md', content: '# Shop\n\nNames are trimmed.\n' }, { say: 'README.md has a note.' }],
};

const badRule: AgentRule = {
  prompt: 'Make the tests pass',
  usage: price(0.0633, 24_310, 1811),
  do: [{ write: 'src/session.ts', content: 'export const timeout = 30;\n' }, { say: 'It should work now.' }],
};

const retryRule: AgentRule = {
  prompt: 'failed',
  usage: price(0.0311, 9120, 640),
  do: [{ say: 'I cannot find the cause.' }],
};

const tddFiles = { ...files, 'check.sh': check };
const spec = { inputs: { spec: 'a login that trims names' } };
const failingJob: SceneJob = { ...spec, rules: [testsRule, retryRule, badRule, docsRule] };

const taskNames = [
  'catalog',
  'cart',
  'checkout',
  'payment',
  'invoice',
  'search',
  'profile',
  'wishlist',
  'reviews',
  'shipping',
  'returns',
  'support',
] as const;

const split = `name: parallel-tasks
steps:
  - name: build
    type: split
    agent: claude-sonnet
    prompt: Plan {spec}.
    parallel: true
    max_parallel: 2
    each:
      - name: impl
        type: code
        agent: claude-haiku
        prompt: Build {task.name}.
        gate: [{bash: "sh check.sh"}]
  - name: docs
    type: code
    agent: codex
    prompt: Document it.
`;

const splitCheck = `if ls src/payment.ts src/search.ts 2>/dev/null | grep -q .; then
  echo "src/payment.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'."
  exit 1
fi
`;

const taskRule = (name: string): AgentRule => ({
  prompt: `Build ${name}.`,
  usage: price(0.0042, 3100, 220),
  do: [{ write: `src/${name}.ts`, content: `export const ${name} = 1;\n` }, { say: `Built ${name}.` }],
});

const planRule: AgentRule = {
  prompt: 'Plan',
  usage: price(0.0205, 8400, 900),
  do: [
    {
      write: '.gump/out/plan.json',
      content: JSON.stringify(
        taskNames.map((name) => ({
          name,
          description: `The ${name} of the shop.`,
          files: [`src/${name}.ts`],
        })),
      ),
    },
    { say: 'The plan has 12 tasks.' },
  ],
};

const review = `name: review
steps:
  - name: review
    type: validate
    agent: claude-opus
    prompt: Review the code.
`;

const reviewRule: AgentRule = {
  prompt: 'Review the code',
  usage: price(0.118, 31_400, 2104),
  do: [
    {
      write: '.gump/out/validate.json',
      content: JSON.stringify({
        pass: true,
        comments: 'Nothing blocks the merge. Two places deserve a look, see the findings.',
        findings: [
          {
            path: 'src/login.ts',
            line: 1,
            severity: 'warning',
            message: 'A name of blanks is accepted. @octocat reported it in #12.',
            suggestion: 'Trim the name first.',
          },
          {
            path: 'src/session.ts',
            line: 1,
            severity: 'error',
            message: 'A timeout of 0 ends every session at once.',
          },
          { path: 'README.md', severity: 'notice', message: 'The README does not say how to log in.' },
        ],
      }),
    },
    { say: 'Reviewed.' },
  ],
};

const approval = `name: plan-first
steps:
  - name: plan
    type: artifact
    agent: claude-opus
    prompt: Plan {spec}.
    hitl: after_gate
  - name: build
    type: code
    agent: claude-sonnet
    session: new
    prompt: Build what the plan says.
`;

const artifactRule: AgentRule = {
  prompt: 'Plan',
  usage: price(0.0902, 21_000, 1500),
  do: [
    {
      write: '.gump/out/artifact.txt',
      content:
        '1. Trim the name in `src/login.ts`.\n2. Add a test for names of blanks.\n3. Set the timeout in `src/session.ts` to 30 minutes.\n',
    },
    { say: 'The plan is written.' },
  ],
};

/** By the name of the picture and of the recorded summary. */
export const summaryScenes: readonly SummaryScene[] = [
  {
    name: 'passed',
    workflow: tdd,
    files: tddFiles,
    status: 'passed',
    jobs: [{ ...spec, rules: [testsRule, implRule, docsRule] }],
  },
  { name: 'failed', workflow: tdd, files: tddFiles, status: 'failed', jobs: [failingJob] },
  {
    name: 'failed-then-passed',
    workflow: tdd,
    files: tddFiles,
    status: 'passed',
    jobs: [
      failingJob,
      { ...spec, jobAttempt: 2, rules: [{ ...implRule, prompt: '', provider: 'claude' }, docsRule] },
    ],
  },
  {
    name: 'split',
    workflow: split,
    files: { ...files, 'check.sh': splitCheck },
    status: 'failed',
    jobs: [{ inputs: { spec: 'a shop' }, rules: [planRule, ...taskNames.map(taskRule), docsRule] }],
  },
  {
    name: 'paused',
    workflow: approval,
    files,
    status: 'paused',
    jobs: [{ inputs: { spec: 'a better login', 'state-name': 'login' }, rules: [artifactRule] }],
  },
  {
    name: 'budget',
    workflow: tdd,
    files: tddFiles,
    status: 'failed',
    jobs: [{ inputs: { ...spec.inputs, 'max-budget': '0.05' }, rules: [testsRule, implRule, docsRule] }],
  },
  {
    name: 'waiting',
    workflow: tdd,
    files: tddFiles,
    status: 'waiting',
    jobs: [
      {
        ...spec,
        rules: [
          testsRule,
          {
            prompt: 'Make the tests pass',
            usage: price(0.0321, 12_000, 800),
            do: [{ write: 'src/login.ts', content: goodLogin }, { usageLimit: { resetsAt: inHours(3) } }],
          },
        ],
      },
    ],
  },
  {
    name: 'cancelled',
    workflow: tdd,
    files: tddFiles,
    status: 'waiting',
    jobs: [
      {
        ...spec,
        rules: [
          testsRule,
          {
            prompt: 'Make the tests pass',
            usage: price(0.0321, 12_000, 800),
            do: [{ write: 'src/login.ts', content: goodLogin, say: 'halfway' }, { hang: true }],
          },
        ],
        stop: { how: 'cancel', when: { log: 'halfway' } },
      },
    ],
  },
  { name: 'review', workflow: review, files, status: 'passed', jobs: [{ rules: [reviewRule] }] },
];

/** Without what differs from run to run: times, ids, folders, days, the hash of the state's name. */
export function stableSummary({ summary }: Pick<StageResult, 'summary'>): string {
  return summary
    .replaceAll(/gump-[^/<]+\/changes\.patch/g, 'gump-ID/changes.patch')
    .replaceAll(/\b(?:\d+ h )?(?:\d+ min )?\d+(?:\.\d)? s\b/g, 'TIME')
    .replaceAll(/<code>[0-9a-f-]{20,}<\/code>/g, '<code>ID</code>')
    .replaceAll(/\b20\d\d-\d\d-\d\d\b/g, 'DAY')
    .replaceAll(/\b\d\d:\d\d UTC\b/g, 'MINUTE UTC')
    .replaceAll(/(resets )(?:\w+ \d+, )?[\d:]+[ap]m \(UTC\)/g, '$1MINUTE (UTC)');
}
