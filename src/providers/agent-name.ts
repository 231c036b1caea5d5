/** `claude-haiku` → the provider `claude` and the model it calls `haiku`. */
import { defined } from '../optional-keys.js';
import type { Provider } from './provider.js';
import { findProvider, providers } from './provider-registry.js';

export type AgentName =
  | { readonly status: 'known'; readonly provider: Provider; readonly model?: string }
  /** `provider`: the text that names none; `known`: what it may be, for a "did you mean". */
  | {
      readonly status: 'unknown';
      readonly provider: string;
      readonly known: readonly string[];
      readonly message: string;
    };

/**
 * Reads an agent name: the provider's id, then, after the first `-`, one of its aliases or a model name of
 * the CLI's own. Without a model the CLI's default is used.
 */
export function readAgentName(name: string, table: readonly Provider[] = providers): AgentName {
  const dash = name.indexOf('-');
  const id = dash < 0 ? name : name.slice(0, dash);
  const provider = findProvider(id, table);
  if (provider === undefined) return unknownProvider(name, id, table);
  const suffix = dash < 0 ? '' : name.slice(dash + 1);
  const model = modelOf(provider, suffix);
  return { status: 'known', provider, ...defined({ model }) };
}

function modelOf(provider: Provider, suffix: string): string | undefined {
  if (suffix === '') return undefined;
  // `in` and not `??`: an alias may stand for the CLI's default model, which is `undefined`.
  return Object.hasOwn(provider.models, suffix) ? provider.models[suffix] : suffix;
}

function unknownProvider(name: string, provider: string, table: readonly Provider[]): AgentName {
  const known = table.map(({ id }) => id);
  const message =
    `unknown provider "${provider}" in the agent "${name}": ` +
    `an agent name starts with one of ${known.join(', ')}, then may follow "-" and a model`;
  return { status: 'unknown', provider, known, message };
}
