/** What an agent has to leave below `.gump/out` for its kind of step: told to it, and read back. Pure. */
import type { OutputFile } from '../journal/event.js';
import { readPlan } from '../outputs/plan-file.js';
import { readVerdict } from '../outputs/verdict-file.js';
import type { Permission } from '../providers/provider.js';
import type { AgentStep } from '../workflow/workflow.js';

export interface OutputContract {
  readonly file: OutputFile['name'];
  /** In the agent's words; added to its prompt. */
  readonly instructions: string;
}

const contracts: Readonly<Partial<Record<AgentStep['type'], OutputContract>>> = {
  validate: {
    file: 'validate.json',
    instructions: `When you are done, write your verdict to the file .gump/out/validate.json (below the working directory) as JSON:
{"pass": true or false, "comments": "what is wrong and what to do about it"}
"comments" must say why when "pass" is false. Change no other file.`,
  },
  artifact: {
    file: 'artifact.txt',
    instructions: `When you are done, write your answer as text to the file .gump/out/artifact.txt (below the working directory). Change no other file.`,
  },
  split: {
    file: 'plan.json',
    instructions: `When you are done, write your plan to the file .gump/out/plan.json (below the working directory) as a JSON array of tasks, in the order in which they have to be done:
[{"name": "short-name", "description": "what has to be done", "files": ["paths or globs the task will touch"]}]
Names are unique; "files" may be left out. Change no other file.`,
  },
};

/** What the step's CLI allows its agent: as the step says, else as the run was told, else what its kind needs. */
export function permissionOf(step: AgentStep, defaultPermission: Permission | undefined): Permission {
  return step.permissions ?? defaultPermission ?? (changesFiles(step) ? 'workspace' : 'read-only');
}

/** Whether the agent may change nothing but its answer; that is looked at afterwards, whatever its CLI allowed. */
export function isReadOnly(step: AgentStep, defaultPermission: Permission | undefined): boolean {
  return !changesFiles(step) || permissionOf(step, defaultPermission) === 'read-only';
}

/** The step with what groups and calls around it forbid (`no_write`). */
export function withNoWrite(step: AgentStep, isWriteForbidden: boolean): AgentStep {
  return isWriteForbidden ? { ...step, guard: { ...step.guard, noWrite: true } } : step;
}

function changesFiles({ type, worktree, guard }: AgentStep): boolean {
  return type === 'code' && worktree === 'read-write' && guard.noWrite !== true;
}

/** `undefined`: the step answers with its changes alone. */
export function outputContractOf(step: AgentStep): OutputContract | undefined {
  return contracts[step.type];
}

/** What is wrong with what the agent left for its step; `undefined`: nothing, or nothing was asked. */
export function outputProblem(step: AgentStep, text: string | undefined): string | undefined {
  if (step.type === 'artifact' && text === undefined) return 'The agent left no .gump/out/artifact.txt.';
  const read =
    step.type === 'split' ? readPlan(text) : step.type === 'validate' ? readVerdict(text) : undefined;
  return typeof read === 'string' ? read : undefined;
}
