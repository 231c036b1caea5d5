/** Rules for the stand-in CLIs whose agents answer with a file, as `split` and `validate` steps ask for. */
import { defined } from '../../src/optional-keys.js';
import type { Rule } from '../rig/stand-in.js';

export interface SampleTask {
  readonly name: string;
  readonly description?: string;
  readonly files?: readonly string[];
}

/** Writes the plan where this stands in the prompt. */
export const plans = (prompt: string, ...tasks: readonly SampleTask[]): Rule => ({
  prompt,
  do: [
    {
      write: '.gump/out/plan.json',
      content: JSON.stringify(tasks.map((task) => ({ description: `do ${task.name}`, ...task }))),
    },
  ],
});

/** Judges where this stands in the prompt; `call`: the how-manieth time. */
export const judges = (prompt: string, pass: boolean, comments: string, call?: number): Rule => ({
  prompt,
  ...defined({ call }),
  do: [{ write: '.gump/out/validate.json', content: JSON.stringify({ pass, comments }) }],
});
