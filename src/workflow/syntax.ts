/**
 * The language as schemas: the keys of each mapping, the kind of their values and their meaning. The descriptions
 * appear in editors through `schema/workflow.json`. Rules between several keys are in `check.ts`, unsupported parts of
 * the language in `unsupported.ts`.
 */
import { z } from 'zod';
import type { DiagnosticCode } from './diagnostic-codes.js';
import { type LimitPlace, limitsByPlace, unitSyntax } from './limits.js';
import { readBoolean, readPause } from './pause-values.js';
import { readSessionText } from './session-value.js';
import type { BlockKeyName, StepKeyName } from './step-keys.js';
import { stepNameProblem } from './step-name.js';

const withCode = (code: DiagnosticCode, error: string) => ({ params: { code }, error });

const nonEmptyText = (meaning: string) =>
  z
    .string()
    .refine((text) => text.trim() !== '', withCode('empty-value', 'must not be empty'))
    .meta({ description: meaning, minLength: 1 });

const stepName = nonEmptyText('')
  .superRefine((text, context) => {
    const message = stepNameProblem(text);
    if (message !== undefined)
      context.addIssue({ code: 'custom', message, params: { code: 'bad-step-name' } });
  })
  .meta({
    description:
      'Name of the step, unique among its siblings. It is part of the path by which other steps read its results.',
  });

/** A value with a check of its own. `expected` ends an error message, `meaning` and `json` are for editors. */
const customValue = (accepts: (value: unknown) => boolean, expected: string, meaning: string, json: object) =>
  z
    .unknown()
    .refine((value) => value === undefined || accepts(value), withCode('bad-value', expected))
    .meta({ description: meaning, ...json });

/** The keys of the limits that a `guard` or a workflow may have. */
const limitKeys = (place: LimitPlace) =>
  Object.fromEntries(
    limitsByPlace[place].flatMap(({ unit, keys }) => {
      const { read, expected, json } = unitSyntax[unit];
      const accepts = (value: unknown) => read(value) !== undefined;
      return Object.entries(keys).map(([key, meaning]) => [
        key,
        customValue(accepts, expected, meaning, json).optional(),
      ]);
    }),
  );

const scalarJson = { type: ['string', 'number', 'boolean'] };
const input = z
  .unknown()
  .refine(
    (value) => ['string', 'number', 'boolean'].includes(typeof value),
    withCode('wrong-type', 'must be text'),
  )
  .meta({ description: 'Template. The called workflow reads its result under this name.', ...scalarJson });
const inputs = z
  .record(z.string(), input)
  .meta({ description: 'Inputs of the called workflow, each with a name and a template.' });

const agent = nonEmptyText(
  'The agent, `provider` or `provider-model`, for example `claude-haiku`. Template: `{impl.agent}` is the agent that the step `impl` used last. `pass`: no agent runs, and the gates check the present files.',
);

export const promptFile = z.strictObject({
  file: nonEmptyText('Path of a file with the prompt, relative to the folder of the workflow file.'),
});

const prompt = z
  .union([nonEmptyText('The task of the agent.'), promptFile])
  .meta({ description: 'The task of the agent. Template: `{spec}`, `{error}`, `{tests.output}`, …' });

export const contextEntry = z.strictObject({
  file: nonEmptyText(
    'Path of a file from the working directory. Its text is appended to the prompt. Template.',
  ).optional(),
  bash: nonEmptyText('A shell command. Its output is appended to the prompt.').optional(),
  optional: z
    .boolean()
    .meta({
      description:
        'Whether the step runs without the entry if its file is missing or its command fails. Default: `false`.',
    })
    .optional(),
});

const context = z
  .array(contextEntry)
  .meta({ description: 'Files and outputs of commands that are appended to the prompt.' });

const worktree = z.enum(['read-write', 'read-only', 'none']).meta({
  description:
    'Whether the agent may change files. `none`: it works in an empty directory. Default: `read-write` for `code`, otherwise `read-only`.',
});

export const guard = z
  .strictObject({
    ...limitKeys('guard'),
    no_write: z
      .boolean()
      .meta({
        description: 'Whether changed files fail the attempt. Default: `false` for `code`, otherwise `true`.',
      })
      .optional(),
  })
  .meta({ description: 'Limits of one attempt.' });

const permissions = z.enum(['full', 'workspace', 'read-only']).meta({
  description:
    'What the agent may do. `read-only`: change nothing except its result file. `workspace`: change files of the working directory and run commands. `full`: everything that its CLI can do. Default: the input `permissions`, otherwise `workspace` for `code` and `read-only` for steps that change no files.',
});

const hitl = customValue(
  (value) => readPause(value) !== undefined,
  'must be `true`, `before_gate`, `after_gate` or `false`',
  'When the step waits for a person: `before_gate` (also `true`), `after_gate`, or never (`false`).',
  { enum: [true, false, 'before_gate', 'after_gate'] },
);

export const sessionMapping = z.strictObject({
  from: nonEmptyText('Name of the step whose session is resumed.'),
  run: z
    .literal('previous')
    .meta({
      description:
        '`previous`: the session of the step in the newest earlier run on the same pull request, issue or branch.',
    })
    .optional(),
});

const sessionText = z
  .string()
  .refine(
    (text) => readSessionText(text) !== undefined,
    withCode('bad-session', 'must be `new`, `from: STEP` or `from: STEP of previous run`'),
  )
  .meta({ pattern: '^\\s*(new|from:\\s*\\S.*)?\\s*$' });

const session = z.union([z.null(), sessionText, sessionMapping]).meta({
  description:
    'The session: `new` starts a new one, `from: STEP` resumes the session of STEP, `from: STEP of previous run` resumes that of an earlier run. Default: `new`.',
});

const called = nonEmptyText(
  'Another workflow: the NAME of `.gump/workflows/NAME.yaml`, `validators/NAME`, a built-in workflow, or a path.',
);

const getKeys = {
  prompt: prompt.optional(),
  context: context.optional(),
  worktree: worktree.optional(),
  session: session.optional(),
} satisfies Readonly<Record<BlockKeyName<'get'>, z.ZodType>>;

const fallback = nonEmptyText(
  'The agent that continues the step in a new session while the service of its `agent` refuses requests for more than 10 minutes. Default: that of the input `on-limit`, otherwise the run waits.',
);

const runKeys = {
  agent: agent.optional(),
  fallback: fallback.optional(),
  guard: guard.optional(),
  permissions: permissions.optional(),
  hitl: hitl.optional(),
} satisfies Readonly<Record<BlockKeyName<'run'>, z.ZodType>>;

/** Next to `workflow`, every other key is an input of that workflow. `shape.ts` accepts these keys. */
export const getBlock = z
  .strictObject({
    ...getKeys,
    workflow: called
      .meta({
        description:
          'A workflow that runs before each attempt. The prompt can use its results. Its inputs are the other keys of `get`.',
      })
      .optional(),
    with: inputs.optional(),
  })
  .meta({ additionalProperties: scalarJson });

export const runBlock = z.strictObject(runKeys);

/** Next to `validate`, every other key is an input of that workflow. `shape.ts` accepts these keys. */
export const gateMapping = z
  .strictObject({
    touched: nonEmptyText('Passes if a file that matches this pattern was changed.').optional(),
    untouched: nonEmptyText('Passes if no file that matches this pattern was changed.').optional(),
    coverage: z
      .union([z.number(), z.string()])
      .meta({ description: 'Passes if the test coverage is at least this percentage.' })
      .optional(),
    bash: nonEmptyText('Passes if this shell command exits with code 0.').optional(),
    validate: called
      .meta({
        description:
          'Passes if the verdict of this workflow is `true`. Its inputs are the other keys of the entry.',
      })
      .optional(),
    with: inputs.optional(),
  })
  .meta({ additionalProperties: scalarJson });

const gate = z.union([
  nonEmptyText(
    '`compile`, `test`, `lint`, `coverage`, `tests_found`, `schema`, `touched: PATTERN` or `validate: WORKFLOW`',
  ),
  gateMapping,
]);

export const retryEntry = z.strictObject({
  attempt: z.int().min(1).meta({ description: 'Applies from this attempt on, counted from 1.' }).optional(),
  not: nonEmptyText('`gate.NAME`: applies if that gate failed in the previous attempt.').optional(),
  validate: called.meta({ description: 'Applies if the verdict of this workflow is `true`.' }).optional(),
  with: inputs.meta({ description: 'Inputs of the workflow of `validate`.' }).optional(),
  exit: z
    .int()
    .min(0)
    .meta({ description: 'The step fails permanently after this number of attempts.' })
    .optional(),
  agent: agent.meta({ description: 'Agent from this attempt on.' }).optional(),
  session: z.literal('new').meta({ description: '`new`: a new session from this attempt on.' }).optional(),
  worktree: z
    .literal('reset')
    .meta({ description: '`reset`: restores the files to their state before the step.' })
    .optional(),
  prompt: prompt.meta({ description: 'The task of the agent from this attempt on. Template.' }).optional(),
});

/** Lazy, because `each` and `steps` contain steps. */
const steps: z.ZodType = z.lazy(() => z.array(step).min(1));

export const step = z.strictObject({
  name: stepName,
  type: z
    .enum(['code', 'validate', 'split', 'artifact'])
    .meta({
      description:
        '`code` changes files; `validate` judges and changes no files; `split` writes a plan of tasks; `artifact` writes a text. Without `type`, the step only runs gates, is a group or calls a workflow.',
    })
    .optional(),
  each: steps
    .meta({ description: 'Only with `type: split`: the steps that run for every task of the plan.' })
    .optional(),
  files: z
    .enum(['warn', 'fail', 'off'])
    .meta({
      description:
        'Only with `type: split`: what happens if a task changes files that the plan does not list for it. Default: `warn`.',
    })
    .optional(),
  steps: steps.meta({ description: 'The steps of a group.' }).optional(),
  parallel: customValue(
    (value) => readBoolean(value) !== undefined,
    'must be `true` or `false`',
    'Only for a split or a group: its tasks or steps run in parallel, each in a separate worktree.',
    { enum: [true, false, 'true', 'false', '1', '0', 1, 0] },
  ).optional(),
  max_parallel: z
    .int()
    .min(1)
    .meta({
      description:
        'With `parallel`: the maximum number that run at the same time. Default: the number of cores, at least 2.',
    })
    .optional(),
  workflow: called.meta({ description: 'The step runs another workflow.' }).optional(),
  with: inputs.optional(),
  get: getBlock
    .meta({
      description: 'What the agent gets: `prompt`, `context`, `worktree`, `session`, `workflow`.',
    })
    .optional(),
  run: runBlock
    .meta({
      description: 'Which agent runs, and its limits: `agent`, `fallback`, `guard`, `permissions`, `hitl`.',
    })
    .optional(),
  ...getKeys,
  ...runKeys,
  gate: z.array(gate).meta({ description: 'Checks that must all pass, run in this order.' }).optional(),
  retry: z
    .array(retryEntry)
    .meta({
      description: 'What changes after a failed attempt. Later entries take precedence over earlier ones.',
    })
    .optional(),
} satisfies Readonly<Record<StepKeyName, z.ZodType>>);

export const root = z.strictObject({
  name: nonEmptyText('Name of the workflow.'),
  'session-match': z
    .enum(['agent', 'provider'])
    .meta({
      description: 'What must be the same so that another step can resume a session. Default: `agent`.',
    })
    .optional(),
  'on-pause': z
    .enum(['fail', 'success'])
    .meta({ description: 'How the job ends if the run waits for a person. Default: `fail`.' })
    .optional(),
  ...limitKeys('budget'),
  steps: z.array(step).min(1).meta({ description: 'The steps, which run in this order.' }),
});
