/** Checks what the plan needs: agents, gates, credentials. Finds everything that is missing. */
import { existsSync, readFileSync } from 'node:fs';
import type { Project } from '../gates/project.js';
import { type CommandSource, findGateProblems } from '../gates/resolve-gate.js';
import type { Plan } from '../plan/plan.js';
import { agentTemplates, allSteps } from '../plan/plan.js';
import { readAgentName } from '../providers/agent-name.js';
import type { Provider } from '../providers/provider.js';
import { type CredentialFacts, findCredential, staticVariables } from '../security/credentials.js';
import type { Environment } from '../system/environment.js';
import { userHome } from '../system/user-home.js';
import { agentHint } from '../workflow/agent-hints.js';
import { parseTemplate, templateNames } from '../workflow/template.js';
import { providerEnvironmentFor } from './agents.js';

export interface RequirementsInput {
  readonly plan: Plan;
  readonly providers: readonly Provider[];
  readonly environment: Environment;
  readonly directory: string;
  readonly project: Project;
  readonly commands: readonly CommandSource[];
}

export interface RequirementsCheck {
  /** Problems as complete sentences. */
  readonly problems: readonly string[];
  /** The providers that the workflow is known to use. Their CLIs are checked elsewhere. */
  readonly usedProviders: readonly Provider[];
  /** The static credentials of all agents that the workflow may use. They may seal the state. */
  readonly sealingVariables: readonly string[];
  /** Where each agent finds its credential, one line per provider. Names, never values. */
  readonly foundCredentials: readonly string[];
  /** Complete sentences, one per provider without a credential. */
  readonly missingCredentials: readonly string[];
  /** Whether an agent of any provider would find a credential. The agent of a step may be known only later. */
  readonly hasCredential: boolean;
}

export function checkRequirements(facts: RequirementsInput): RequirementsCheck {
  const used = usedAgents(facts);
  const { plan, project, commands } = facts;
  const steps = allSteps(plan).map(({ path, step }) => ({ step: path, gates: step.gates }));
  return {
    problems: [...used.problems, ...findGateProblems(steps, project, commands)],
    usedProviders: used.providers,
    sealingVariables: sealingVariables(used.agents, facts),
    foundCredentials: [...new Set(used.agents.flatMap((agent) => foundCredential(agent, facts)))],
    missingCredentials: [...new Set(used.agents.flatMap((agent) => missingCredential(agent, facts)))],
    hasCredential: facts.providers.some(
      (provider) => findCredential(provider, credentialFacts(facts)) !== undefined,
    ),
  };
}

/** Agent names with templates are known only while the workflow runs and are not checked here. */
function usedAgents({ plan, providers }: RequirementsInput) {
  const templates = agentTemplates(plan);
  const agents = templates.filter(({ agent }) => templateNames(parseTemplate(agent)).length === 0);
  const fallback = templates.length === 0 || plan.fallback === undefined ? [] : [plan.fallback];
  const read = [...agents.map(({ agent }) => agent), ...fallback].map((one) => readAgentName(one, providers));
  const known = read.flatMap((name) => (name.status === 'known' ? [name] : []));
  return {
    agents: known,
    providers: [...new Set(known.map(({ provider }) => provider))],
    problems: [
      ...[...new Set(agents.map(({ agent }) => agent))].flatMap((agent) =>
        unknownAgentProblem(
          agent,
          agents.flatMap((one) => (one.agent === agent ? [one.step] : [])),
          providers,
        ),
      ),
      ...fallback.flatMap((agent) => unknownFallbackProblem(agent, providers)),
    ],
  };
}

function unknownFallbackProblem(agent: string, providers: readonly Provider[]): readonly string[] {
  const name = readAgentName(agent, providers);
  if (name.status === 'known') return [];
  return [`Input \`on-limit\`: ${name.message}.${agentHint(agent, providers)}`];
}

/** One problem for all steps with the same agent. */
function unknownAgentProblem(
  agent: string,
  steps: readonly string[],
  providers: readonly Provider[],
): readonly string[] {
  const name = readAgentName(agent, providers);
  if (name.status === 'known') return [];
  const names = [...new Set(steps)].map((step) => `\`${step}\``);
  const shown = `${names.length > 1 ? 'Steps' : 'Step'} ${names.slice(0, maxNamedSteps).join(', ')}`;
  const more = names.length > maxNamedSteps ? ` and ${names.length - maxNamedSteps} more` : '';
  return [`${shown}${more}: ${name.message}.${agentHint(agent, providers)}`];
}

const maxNamedSteps = 3;

/**
 * If an agent's name has a template, it may be any agent. An agent of a service that only the user's settings define
 * names no credential of its own and gets all keys, so all of them count.
 */
function sealingVariables(
  used: readonly UsedAgent[],
  { plan, providers }: RequirementsInput,
): readonly string[] {
  const isKnown = agentTemplates(plan).every(({ agent }) => templateNames(parseTemplate(agent)).length === 0);
  const rows = used.map(({ provider, model }) => ({ environment: providerEnvironmentFor(provider, model) }));
  const areNamed = rows.every(({ environment }) => environment.credentials.length > 0);
  return [...new Set(staticVariables(isKnown && areNamed ? rows : [...rows, ...providers]))];
}

interface UsedAgent {
  readonly provider: Provider;
  readonly model?: string;
}

function foundCredential({ provider, model }: UsedAgent, facts: RequirementsInput): readonly string[] {
  const environment = providerEnvironmentFor(provider, model);
  if (environment.credentials.length === 0) return [`${provider.title}: its own settings, not checked`];
  const found = findCredential({ ...provider, environment }, credentialFacts(facts));
  return found === undefined ? [] : [`${provider.title}: \`${found.name}\` is present`];
}

function missingCredential({ provider, model }: UsedAgent, facts: RequirementsInput): readonly string[] {
  const environment = providerEnvironmentFor(provider, model);
  const variables = environment.credentials.map((credential) => credential.variable);
  // A service that only the user's own settings define may need none.
  if (variables.length === 0) return [];
  if (findCredential({ ...provider, environment }, credentialFacts(facts)) !== undefined) return [];
  const title =
    environment === provider.environment
      ? provider.title
      : `${provider.title} (${model ?? 'its default model'})`;
  const [first = '', ...others] = variables;
  const also = others.length === 0 ? '' : `${either(others)} also works. `;
  return [
    `${title} has no credential. Set \`env:\` of the action step to \`${first}: \${{ secrets.${first} }}\`, and create this secret in the settings of the repository. (${also}Secrets are unavailable on pull requests of forks.)`,
  ];
}

function credentialFacts({ environment, directory }: RequirementsInput): CredentialFacts {
  return {
    environment: { ...environment, HOME: userHome(environment) },
    directory,
    fileContains(path, text) {
      if (text === undefined) return existsSync(path);
      try {
        return readFileSync(path, 'utf8').includes(text);
      } catch {
        return false;
      }
    },
  };
}

function either(names: readonly string[]): string {
  const quoted = names.map((name) => `\`${name}\``);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}
