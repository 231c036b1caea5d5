/** Rules with which the stand-in CLIs answer in a file, as `split` and `validate` steps require. */
import { defined } from '../../src/optional-keys.js';
import type { AgentRule } from '../rig/stand-in.js';

export interface SampleTask {
  readonly name: string;
  readonly description?: string;
  readonly files?: readonly string[];
}

/** Writes a plan if the prompt contains this text. */
export const planRule = (prompt: string, ...tasks: readonly SampleTask[]): AgentRule => ({
  prompt,
  do: [
    {
      write: '.gump/out/plan.json',
      content: JSON.stringify(tasks.map((task) => ({ description: `do ${task.name}`, ...task }))),
    },
  ],
});

/** Writes a verdict if the prompt contains this text. `call`: only at this call with that text. */
export const verdictRule = (prompt: string, pass: boolean, comments: string, call?: number): AgentRule => ({
  prompt,
  ...defined({ call }),
  do: [{ write: '.gump/out/validate.json', content: JSON.stringify({ pass, comments }) }],
});
