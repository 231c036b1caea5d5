/** What an agent must write below `.gump/out` for its type of step: the instructions and the check. Pure. */
import type { OutputFile } from '../journal/event.js';
import { readPlan } from '../outputs/plan-file.js';
import { readVerdict } from '../outputs/verdict-file.js';
import type { Permission } from '../providers/provider.js';
import type { AgentStep } from '../workflow/workflow.js';

export interface OutputContract {
  readonly file: OutputFile['name'];
  /** Added to the prompt of the agent. */
  readonly instructions: string;
}

const contracts: Readonly<Partial<Record<AgentStep['type'], OutputContract>>> = {
  validate: {
    file: 'validate.json',
    instructions: `When you are done, write your verdict as JSON to the file \`.gump/out/validate.json\` below the working directory:
{"pass": true or false, "comments": "what is wrong and how to fix it", "findings": [{"path": "src/a.ts", "line": 12, "endLine": 14, "severity": "error", "message": "what is wrong here", "suggestion": "the new lines, or what to do"}]}
If "pass" is false, "comments" must give the reason. You may omit "findings". Write one finding for each problem that you can point to. Its "path" is relative to the top of the repository, and its lines are those of the present file. Its "severity" is "error", "warning" or "notice". Its "suggestion" is either the exact text that replaces the lines from "line" to "endLine", with their indentation and without a fence, or a sentence that says what to do. You may omit "line", "endLine" and "suggestion". Do not change any other file.`,
  },
  artifact: {
    file: 'artifact.txt',
    instructions:
      'When you are done, write your answer as text to the file `.gump/out/artifact.txt` below the working directory. Do not change any other file.',
  },
  split: {
    file: 'plan.json',
    instructions: `When you are done, write your plan to the file \`.gump/out/plan.json\` below the working directory, as a JSON array of tasks in the order in which they must be done:
[{"name": "short-name", "description": "what must be done", "files": ["paths or globs that the task changes"]}]
Give each task a unique name. You may omit "files". Do not change any other file.`,
  },
};

/** What the CLI allows its agent: the value of the step, otherwise of the input, otherwise what its type needs. */
export function permissionOf(step: AgentStep, defaultPermission: Permission | undefined): Permission {
  return step.permissions ?? defaultPermission ?? (changesFiles(step) ? 'workspace' : 'read-only');
}

/** Whether the agent may change only its answer. This is checked afterwards, whatever its CLI allowed. */
export function isReadOnly(step: AgentStep, defaultPermission: Permission | undefined): boolean {
  return !changesFiles(step) || permissionOf(step, defaultPermission) === 'read-only';
}

/** The step with the `no_write` of the groups and calls around it. */
export function withNoWrite(step: AgentStep, isWriteForbidden: boolean): AgentStep {
  return isWriteForbidden ? { ...step, guard: { ...step.guard, noWrite: true } } : step;
}

function changesFiles({ type, worktree, guard }: AgentStep): boolean {
  return type === 'code' && worktree === 'read-write' && guard.noWrite !== true;
}

/** `undefined` if the result of the step is only its changes. */
export function outputContractOf(step: AgentStep): OutputContract | undefined {
  return contracts[step.type];
}

/** The problem of the file that the agent wrote. `undefined` if there is none, or the step needs no file. */
export function outputProblem(step: AgentStep, text: string | undefined): string | undefined {
  if (step.type === 'artifact' && text === undefined)
    return 'The agent did not write `.gump/out/artifact.txt`.';
  const read =
    step.type === 'split' ? readPlan(text) : step.type === 'validate' ? readVerdict(text) : undefined;
  return typeof read === 'string' ? read : undefined;
}
