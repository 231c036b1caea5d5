/** What a run would start and what it needs, for a dry run: agents, commands of gates, CLIs, credentials, cost. */

import { type CommandGate, markers } from '../gates/markers.js';
import { openProject, type Project } from '../gates/project.js';
import { type CommandSource, resolveGate } from '../gates/resolve-gate.js';
import { costBound } from '../plan/cost-bound.js';
import { knownText } from '../plan/known-text.js';
import { agentStepOf, allSteps, type Plan, passAgent } from '../plan/plan.js';
import { formatCost } from '../providers/money.js';
import { filterEnvironment } from '../security/filter-environment.js';
import type { Settings } from '../workflow/settings.js';
import type { Gate, Step } from '../workflow/workflow.js';
import type { ActionContext } from './action-context.js';
import { openClis } from './clis.js';
import { commandSources } from './gate-runner.js';
import { publishLines } from './publish-checks.js';
import { describePublishing } from './publish-target.js';
import { checkRequirements } from './requirements.js';
import { subjectOfRun } from './run-subject.js';

export interface DryRunFacts {
  /** What a run would report as errors, without what is missing on this machine. */
  readonly problems: readonly string[];
  readonly lines: readonly string[];
}

export interface DryRunQuestion {
  readonly plan: Plan;
  readonly settings: Settings;
  readonly directory: string;
}

export async function gatherDryRunFacts(
  actionContext: ActionContext,
  { plan, settings, directory }: DryRunQuestion,
): Promise<DryRunFacts> {
  const { environment, inputs, providers } = actionContext;
  const { PATH } = filterEnvironment({ environment, providers, passEnv: inputs.passEnv }).env;
  const project = openProject(directory, PATH);
  const commands = commandSources(inputs, settings);
  const known = withKnownAgents(plan);
  const needs = checkRequirements({ plan: known, providers, environment, directory, project, commands });
  const clis = openClis(actionContext, { directory, canInstall: false });
  const cliLines = await Promise.all(needs.usedProviders.map((provider) => clis.describe(provider)));
  const steps = allSteps(plan);
  const publishing = describePublishing(actionContext, plan);
  return {
    problems: [...needs.problems, ...publishing.problems],
    lines: [
      ...section(
        'Each step would run',
        steps.flatMap(({ path, step }) => stepLines(path, step, plan, project, commands)),
      ),
      ...section('Agent CLIs', cliLines),
      ...section('Credentials', [...needs.foundCredentials, ...needs.missingCredentials]),
      ...section('Publishing', publishing.lines),
      ...section('Cost', [costText(plan)]),
      ...section('A run would post', publishLines(inputs, subjectOfRun(actionContext))),
    ],
  };
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)];
}

/** The plan with the agents that variables name, so that their CLIs and credentials are known too. */
function withKnownAgents(plan: Plan): Plan {
  const steps = plan.steps.map((planned) =>
    planned.step.kind === 'agent'
      ? { ...planned, step: { ...planned.step, agent: knownText(planned.step.agent, plan).trim() } }
      : planned,
  );
  return { ...plan, steps };
}

function stepLines(
  path: string,
  step: Step,
  plan: Plan,
  project: Project,
  commands: readonly CommandSource[],
): readonly string[] {
  const agent = agentStepOf(step)?.agent;
  const name = agent === undefined ? undefined : knownText(agent, plan).trim();
  const agentLine = name === undefined || name === passAgent ? [] : [`${path}: agent ${name}`];
  return [...agentLine, ...step.gates.map((gate) => `${path}: ${gateText(gate, project, commands)}`)];
}

function gateText(gate: Gate, project: Project, commands: readonly CommandSource[]): string {
  if (gate.type === 'bash') return `gate ${gate.name}: ${gate.command.trim().split('\n')[0]}`;
  if (!isCommandGate(gate.type)) return `gate ${gate.name}: no command`;
  const found = resolveGate(gate.type, project, commands);
  if (found.status === 'command') return `gate ${gate.name}: ${found.command}`;
  return `gate ${gate.name}: ${found.status === 'skipped' ? `skipped. ${found.reason}` : found.message}`;
}

function isCommandGate(type: string): type is CommandGate {
  return Object.hasOwn(markers, type);
}

function costText(plan: Plan): string {
  const bound = costBound(plan);
  if (bound === undefined) return 'no limit. Set the input `max-budget`, or `max_budget` in the workflow.';
  return `at most ${formatCost({ costUsd: bound })}, and the answers in progress when the limit is reached`;
}
