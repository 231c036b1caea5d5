/**
 * The language, as schemas: which keys there are, where, of what kind, and what each one means. This is its
 * reference. What holds between several keys is in `check.ts`; parts of the language that do not run yet are
 * in `later.ts` and come here when they do.
 */
import { z } from 'zod';
import type { DiagnosticCode } from './diagnostic-codes.js';
import { type LimitPlace, limitsByPlace, unitSyntax } from './limits.js';
import { isBooleanValue, isPauseValue } from './pause-values.js';
import { isSessionText } from './session-value.js';
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
    description: 'Name of the step, unlike those beside it; part of its path, by which results are found.',
  });

/** A value with spellings of its own: `meaning` for people, `says` for the end of a message, `json` for editors. */
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
  .meta({ description: 'Template: what the called workflow finds under this name.', ...scalarJson });
const inputs = z
  .record(z.string(), input)
  .meta({ description: 'Inputs of the called workflow: name and template.' });

const agent = nonEmptyText(
  'The agent, `provider` or `provider-model`, such as `claude-haiku`. Template: `{impl.agent}` is the agent that the step `impl` used last. `pass`: none, the gates judge what is there.',
);

export const promptFile = z.strictObject({
  file: nonEmptyText('Path of a file with the prompt, from the folder of the workflow file.'),
});

const prompt = z
  .union([nonEmptyText('What the agent is told.'), promptFile])
  .meta({ description: 'What the agent is told. Template: `{spec}`, `{error}`, `{tests.output}`, …' });

export const contextEntry = z.strictObject({
  file: nonEmptyText('Path of a file from the working directory, whose text is given. Template.').optional(),
  bash: nonEmptyText('A shell command; what it prints is given.').optional(),
});

const context = z
  .array(contextEntry)
  .meta({ description: 'Files and outputs of commands that are put behind the prompt.' });

const worktree = z.enum(['read-write', 'read-only', 'none']).meta({
  description:
    'Whether the agent may change files. `none`: it works in an empty folder. Left out: `read-write` for `code`, else `read-only`.',
});

export const guard = z
  .strictObject({
    ...limitKeys('guard'),
    no_write: z
      .boolean()
      .meta({
        description:
          'Whether changed files fail the attempt. Left out: `true` but for `code`, where it is `false`.',
      })
      .optional(),
  })
  .meta({ description: 'Limits of one attempt.' });

const permissions = z.enum(['full', 'workspace', 'read-only']).meta({
  description:
    'What the agent may do. `read-only`: change nothing but its answer. `workspace`: change files of the working directory and run commands. `full`: whatever its CLI can. Left out: as the input `permissions` says, which unless told is `workspace` for `code`, and `read-only` for steps that change no files.',
});

const hitl = customValue(
  isPauseValue,
  'must be `true`, `before_gate`, `after_gate` or `false`',
  'Where the step waits for a person: `before_gate` (also `true`), `after_gate`, or nowhere (`false`).',
  { enum: [true, false, 'before_gate', 'after_gate'] },
);

export const sessionMapping = z.strictObject({
  from: nonEmptyText('Name of the step whose conversation goes on.'),
});

const sessionText = z
  .string()
  .refine(isSessionText, withCode('bad-session', 'must be `new` or `from: STEP`'))
  .meta({ pattern: '^\\s*(new|from:\\s*\\S.*)?\\s*$' });

const session = z.union([z.null(), sessionText, sessionMapping]).meta({
  description: 'The conversation: `new` (also when left out), or `from: STEP` to go on in that of STEP.',
});

const called = nonEmptyText(
  'Another workflow: NAME of `.gump/workflows/NAME.yaml`, `validators/NAME`, a built-in, or a path.',
);

/** Beside `workflow` every further key is an input of that workflow; `shape.ts` knows. */
export const getBlock = z
  .strictObject({
    prompt: prompt.optional(),
    context: context.optional(),
    worktree: worktree.optional(),
    session: session.optional(),
    workflow: called
      .meta({
        description: 'A workflow that runs before each attempt, for its results. Its inputs stand beside it.',
      })
      .optional(),
    with: inputs.optional(),
  })
  .meta({ additionalProperties: scalarJson });

export const runBlock = z.strictObject({
  agent: agent.optional(),
  guard: guard.optional(),
  permissions: permissions.optional(),
  hitl: hitl.optional(),
});

/** Beside `validate` every further key is an input of that workflow; `shape.ts` knows. */
export const gateMapping = z
  .strictObject({
    touched: nonEmptyText('Passes when a file that matches this pattern was changed.').optional(),
    untouched: nonEmptyText('Passes when no file that matches this pattern was changed.').optional(),
    coverage: z
      .union([z.number(), z.string()])
      .meta({ description: 'Passes when the test coverage is at least this many percent.' })
      .optional(),
    bash: nonEmptyText('Passes when this shell command ends with exit code 0.').optional(),
    validate: called
      .meta({ description: 'Passes when this workflow says so. Its inputs stand beside it.' })
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
  attempt: z.int().min(1).meta({ description: 'Holds from this attempt on, counted from 1.' }).optional(),
  not: nonEmptyText('`gate.NAME`: holds when that gate failed in the attempt before.').optional(),
  validate: called.meta({ description: 'Holds when this workflow says yes.' }).optional(),
  with: inputs.meta({ description: 'Inputs of the workflow of `validate`.' }).optional(),
  exit: z
    .int()
    .min(0)
    .meta({ description: 'The step has failed for good after this many attempts.' })
    .optional(),
  agent: agent.meta({ description: 'Agent from here on.' }).optional(),
  session: z.literal('new').meta({ description: '`new`: a new conversation from here on.' }).optional(),
  worktree: z
    .literal('reset')
    .meta({ description: '`reset`: the files are put back to what they were before the step.' })
    .optional(),
  prompt: prompt.meta({ description: 'What the agent is told from here on. Template.' }).optional(),
});

/** By name, because the steps of `each` are steps themselves. */
const steps: z.ZodType = z.lazy(() => z.array(step).min(1));

export const step = z.strictObject({
  name: stepName,
  type: z
    .enum(['code', 'validate', 'split', 'artifact'])
    .meta({
      description:
        '`code` changes files; `validate` judges and changes none; `split` makes a plan of tasks; `artifact` writes a text. Left out: the step only runs gates, or it is a group or calls a workflow.',
    })
    .optional(),
  each: steps
    .meta({ description: 'Only with `type: split`: the steps that every task of the plan goes through.' })
    .optional(),
  files: z
    .enum(['warn', 'fail', 'off'])
    .meta({
      description:
        'Only with `type: split`: what becomes of a task that changes files which the plan does not name for it. Left out: `warn`.',
    })
    .optional(),
  steps: steps.meta({ description: 'The steps of a group.' }).optional(),
  parallel: customValue(
    isBooleanValue,
    'must be `true` or `false`',
    'Of a split or a group: its tasks or steps run side by side, each in a work tree of its own.',
    { enum: [true, false, 'true', 'false', '1', '0', 1, 0] },
  ).optional(),
  max_parallel: z
    .int()
    .min(1)
    .meta({ description: 'With `parallel`: how many run at once. Left out: one for each core, at least 2.' })
    .optional(),
  workflow: called.meta({ description: 'The step is another workflow.' }).optional(),
  with: inputs.optional(),
  get: getBlock
    .meta({
      description: 'What the agent is given: `prompt`, `context`, `worktree`, `session`, `workflow`.',
    })
    .optional(),
  run: runBlock
    .meta({ description: 'Who does it, and within which limits: `agent`, `guard`, `permissions`, `hitl`.' })
    .optional(),
  prompt: prompt.optional(),
  context: context.optional(),
  worktree: worktree.optional(),
  session: session.optional(),
  agent: agent.optional(),
  guard: guard.optional(),
  permissions: permissions.optional(),
  hitl: hitl.optional(),
  gate: z.array(gate).meta({ description: 'Checks that must all pass, run in this order.' }).optional(),
  retry: z
    .array(retryEntry)
    .meta({ description: 'What to do when an attempt failed; later entries win over earlier ones.' })
    .optional(),
});

export const root = z.strictObject({
  name: nonEmptyText('Name of the workflow.'),
  'session-match': z
    .enum(['agent', 'provider'])
    .meta({
      description: 'What has to be the same for a session to go on in another step. Left out: `agent`.',
    })
    .optional(),
  'on-pause': z
    .enum(['fail', 'success'])
    .meta({ description: 'How the job ends when the run waits for a person. Left out: `fail`.' })
    .optional(),
  ...limitKeys('budget'),
  steps: z.array(step).min(1).meta({ description: 'The steps, which run one after the other.' }),
});
