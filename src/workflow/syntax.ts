/**
 * The language, as schemas: which keys there are, where, of what kind, and what each one means. This is its
 * reference. What holds between several keys is in `check.ts`; parts of the language that do not run yet are
 * in `later.ts` and come here when they do.
 */
import { z } from 'zod';
import type { Code } from './codes.js';
import { isSessionText } from './session.js';
import { stepNameFault } from './step-name.js';

const withCode = (code: Code, error: string) => ({ params: { code }, error });

const filled = (meaning: string) =>
  z
    .string()
    .refine((text) => text.trim() !== '', withCode('empty-value', 'must not be empty'))
    .meta({ description: meaning, minLength: 1 });

const stepName = filled('')
  .superRefine((text, context) => {
    const message = stepNameFault(text);
    if (message !== undefined)
      context.addIssue({ code: 'custom', message, params: { code: 'bad-step-name' } });
  })
  .meta({
    description: 'Name of the step, unlike those beside it; part of its path, by which results are found.',
  });

const agent = filled(
  'The agent, `provider` or `provider-model`, such as `claude-haiku`. Template: `{impl.agent}` is the agent that the step `impl` used last.',
);

const prompt = filled('What the agent is told. Template: `{spec}`, `{error}`, `{tests.output}`, …');

export const sessionMapping = z.strictObject({
  from: filled('Name of the step whose conversation goes on.'),
});

const sessionText = z
  .string()
  .refine(isSessionText, withCode('bad-session', 'must be `new` or `from: STEP`'))
  .meta({ pattern: '^\\s*(new|from:\\s*\\S.*)?\\s*$' });

const session = z.union([z.null(), sessionText, sessionMapping]).meta({
  description: 'The conversation: `new` (also when left out), or `from: STEP` to go on in that of STEP.',
});

export const getBlock = z.strictObject({
  prompt: prompt.optional(),
  session: session.optional(),
});

export const runBlock = z.strictObject({
  agent: agent.optional(),
});

export const gateMapping = z.strictObject({
  touched: filled('Passes when a file that matches this pattern was changed.').optional(),
  untouched: filled('Passes when no file that matches this pattern was changed.').optional(),
  coverage: z
    .union([z.number(), z.string()])
    .meta({ description: 'Passes when the test coverage is at least this many percent.' })
    .optional(),
  bash: filled('Passes when this shell command ends with exit code 0.').optional(),
});

const gate = z.union([
  filled('`compile`, `test`, `lint`, `coverage`, `tests_found`, `schema`, or `touched: PATTERN`'),
  gateMapping,
]);

export const retryEntry = z.strictObject({
  attempt: z.int().min(1).meta({ description: 'Holds from this attempt on, counted from 1.' }).optional(),
  not: filled('`gate.NAME`: holds when that gate failed in the attempt before.').optional(),
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
    .enum(['code', 'validate', 'split'])
    .meta({
      description:
        '`code` changes files; `validate` judges and changes none; `split` makes a plan of tasks. Left out: the step only runs gates.',
    })
    .optional(),
  each: steps
    .meta({ description: 'Only with `type: split`: the steps that every task of the plan goes through.' })
    .optional(),
  get: getBlock.meta({ description: 'What the agent is given: `prompt`, `session`.' }).optional(),
  run: runBlock.meta({ description: 'Who does it: `agent`.' }).optional(),
  prompt: prompt.optional(),
  session: session.optional(),
  agent: agent.optional(),
  gate: z.array(gate).meta({ description: 'Checks that must all pass, run in this order.' }).optional(),
  retry: z
    .array(retryEntry)
    .meta({ description: 'What to do when an attempt failed; later entries win over earlier ones.' })
    .optional(),
});

export const root = z.strictObject({
  name: filled('Name of the workflow.'),
  'session-match': z
    .enum(['agent', 'provider'])
    .meta({
      description: 'What has to be the same for a session to go on in another step. Left out: `agent`.',
    })
    .optional(),
  steps: z.array(step).min(1).meta({ description: 'The steps, which run one after the other.' }),
});
