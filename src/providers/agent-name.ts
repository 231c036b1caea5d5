/** `claude-haiku` → provider `claude`, model `haiku`. */
import { defined } from '../optional-keys.js';
import type { Provider } from './provider.js';
import { findProvider, providers } from './provider-registry.js';

export type AgentName =
  | { readonly status: 'known'; readonly provider: Provider; readonly model?: string }
  /** `provider`: the name before the model; `known`: the valid names, for a "Did you mean" hint. */
  | {
      readonly status: 'unknown';
      readonly provider: string;
      readonly known: readonly string[];
      readonly message: string;
    };

/**
 * Reads an agent name: the provider's id, then, after the first `-`, one of its aliases or a model name that the
 * CLI knows. Without a model, the CLI uses its default.
 */
export function readAgentName(name: string, table: readonly Provider[] = providers): AgentName {
  const dash = name.indexOf('-');
  const id = dash < 0 ? name : name.slice(0, dash);
  const provider = findProvider(id, table);
  if (provider === undefined) return unknownProvider(name, id, table);
  const suffix = dash < 0 ? '' : name.slice(dash + 1);
  if (suffix !== '' && !isModelName(suffix)) return invalidModel(name, id, table);
  const model = modelOf(provider, suffix);
  return { status: 'known', provider, ...defined({ model }) };
}

/**
 * Whether a text can be the name of a model. The name becomes part of a command line, and may come from the output of
 * an agent: with `-` at its start, a CLI would take it for an option, which could allow commands.
 */
export function isModelName(text: string): boolean {
  return /^[A-Za-z0-9][\w./:@[\]-]*$/.test(text);
}

/** The rule of `isModelName` as an instruction. */
export const modelNameRule =
  'A model name begins with a letter or a digit and has only letters, digits and the characters `_ . / : @ [ ] -`.';

function modelOf(provider: Provider, suffix: string): string | undefined {
  if (suffix === '') return undefined;
  // Not `??`: the alias of the CLI's default model has the value `undefined`.
  return Object.hasOwn(provider.models, suffix) ? provider.models[suffix] : suffix;
}

function invalidModel(name: string, provider: string, table: readonly Provider[]): AgentName {
  const message = `the model in agent ${JSON.stringify(name)} is not a model name. ${modelNameRule.replace(/\.$/, '')}`;
  return { status: 'unknown', provider, known: table.map(({ id }) => id), message };
}

function unknownProvider(name: string, provider: string, table: readonly Provider[]): AgentName {
  const known = table.map(({ id }) => id);
  const message =
    `unknown provider \`${provider}\` in agent \`${name}\`. Start the name with ` +
    `${known.slice(0, -1).join(', ')} or ${known.at(-1) ?? ''}, optionally followed by \`-\` and a model`;
  return { status: 'unknown', provider, known, message };
}
