/** Everything that can be known before the first agent starts, looked at at once. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import type { Project } from '../gates/project.js';
import { type CommandSource, gateFaults } from '../gates/resolve.js';
import type { Plan } from '../plan/plan.js';
import { agentTemplates, allSteps } from '../plan/plan.js';
import { readAgentName } from '../providers/agent-name.js';
import type { Provider } from '../providers/provider.js';
import { type CredentialFacts, findCredential } from '../security/credentials.js';
import type { Environment } from '../system/environment.js';
import { names, parseTemplate } from '../workflow/template.js';
import { rowOf } from './agents.js';

export interface PreflightFacts {
  readonly plan: Plan;
  readonly providers: readonly Provider[];
  readonly environment: Environment;
  readonly directory: string;
  readonly project: Project;
  readonly commands: readonly CommandSource[];
}

export interface Preflight {
  /** What is missing; whole sentences. */
  readonly faults: readonly string[];
  /** The providers that the workflow is known to use; where their CLIs are is not looked at here. */
  readonly used: readonly Provider[];
  /** Providers of the workflow for which there is no credential; whole sentences. */
  readonly withoutCredential: readonly string[];
}

export function preflight(facts: PreflightFacts): Preflight {
  const used = usedAgents(facts);
  const { plan, project, commands } = facts;
  const steps = allSteps(plan).map(({ path, step }) => ({ step: path, gates: step.gates }));
  return {
    faults: [...used.faults, ...gateFaults(steps, project, commands)],
    used: used.providers,
    withoutCredential: [...new Set(used.agents.flatMap((agent) => missingCredential(agent, facts)))],
  };
}

/** An agent name that is only known while the workflow runs is not looked at here. */
function usedAgents({ plan, providers }: PreflightFacts) {
  const agents = agentTemplates(plan).filter(({ agent }) => names(parseTemplate(agent)).length === 0);
  const read = agents.map(({ step, agent }) => ({ step, name: readAgentName(agent, providers) }));
  const known = read.flatMap(({ name }) => (name.status === 'known' ? [name] : []));
  return {
    agents: known,
    providers: [...new Set(known.map(({ provider }) => provider))],
    faults: [
      ...new Set(
        read.flatMap(({ step, name }) =>
          name.status === 'unknown' ? [`Step \`${step}\`: ${name.message}.`] : [],
        ),
      ),
    ],
  };
}

interface UsedAgent {
  readonly provider: Provider;
  readonly model?: string;
}

function missingCredential({ provider, model }: UsedAgent, facts: PreflightFacts): readonly string[] {
  const environment = rowOf(provider, model);
  const variables = environment.credentials.map((credential) => credential.variable);
  // A service that only the user's own settings know may need none.
  if (variables.length === 0) return [];
  if (findCredential({ ...provider, environment }, credentialFacts(facts)) !== undefined) return [];
  const title =
    environment === provider.environment
      ? provider.title
      : `${provider.title} (${model ?? 'its default model'})`;
  return [
    `${title} has no credential: set ${either(variables)} in \`env:\` of the step, from a secret of the repository (secrets are not there on pull requests of forks).`,
  ];
}

function credentialFacts({ environment, directory }: PreflightFacts): CredentialFacts {
  return {
    environment: { HOME: homedir(), ...environment },
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
