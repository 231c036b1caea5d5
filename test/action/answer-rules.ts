/** Rules for the stand-in CLIs whose agents answer with a file, as `split` and `validate` steps ask for. */
import { defined } from '../../src/optional-keys.js';
import type { AgentRule } from '../rig/stand-in.js';

export interface SampleTask {
  readonly name: string;
  readonly description?: string;
  readonly files?: readonly string[];
}

/** Writes the plan where this stands in the prompt. */
export const planRule = (prompt: string, ...tasks: readonly SampleTask[]): AgentRule => ({
  prompt,
  do: [
    {
      write: '.gump/out/plan.json',
      content: JSON.stringify(tasks.map((task) => ({ description: `do ${task.name}`, ...task }))),
    },
  ],
});

/** Judges where this stands in the prompt; `call`: the how-manieth time. */
export const verdictRule = (prompt: string, pass: boolean, comments: string, call?: number): AgentRule => ({
  prompt,
  ...defined({ call }),
  do: [{ write: '.gump/out/validate.json', content: JSON.stringify({ pass, comments }) }],
});
