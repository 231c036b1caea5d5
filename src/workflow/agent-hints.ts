/**
 * What the author of an agent name that cannot be right probably meant. Pure. The names come from the table of
 * providers: their ids, the aliases of their models, and the names by which people know their models and makers.
 */
import type { Provider } from '../providers/provider.js';
import { providers } from '../providers/provider-registry.js';
import { closest } from './suggest.js';

/** The agent name that an unknown one probably means; `undefined` without a good guess. */
export function suggestAgent(name: string, table: readonly Provider[] = providers): string | undefined {
  const text = normalize(name);
  // `anthropic/claude-haiku`: the maker or the service, then the model.
  const slash = text.indexOf('/');
  const parts = slash < 0 ? [text] : [text.slice(slash + 1), text];
  for (const part of parts) {
    const found = byAlias(part, table) ?? byProvider(part, table) ?? byModelName(part, table);
    if (found !== undefined) return found;
  }
  return byService(text, table) ?? byMisspelling(text, table);
}

/** ` Did you mean …?` to append to a sentence, or an empty string. */
export function agentHint(name: string, table: readonly Provider[] = providers): string {
  const found = suggestAgent(name, table);
  return found === undefined ? '' : ` Did you mean \`${found}\`?`;
}

/** For the name of a known provider whose model looks misspelled: the name that was probably meant. */
export function suggestModel(name: string, table: readonly Provider[] = providers): string | undefined {
  const [id = '', ...rest] = name.trim().split('-');
  const provider = table.find((one) => one.id === id);
  const model = rest.join('-');
  if (provider === undefined || model === '' || Object.hasOwn(provider.models, model)) return undefined;
  if (programWords.includes(model.toLowerCase())) return id;
  const corrected = correctModel(provider, model);
  return corrected === model ? undefined : `${id}-${corrected}`;
}

/** `claude-code` is the name of a program, not of a model. */
const programWords = ['code', 'cli', 'agent'];

function normalize(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '-');
}

/** `claude_haiku`, `claude:haiku`, `claudehaiku`, `Claude Code`. */
function byProvider(text: string, table: readonly Provider[]): string | undefined {
  const provider = table.find(({ id }) => text.startsWith(id));
  if (provider === undefined) return undefined;
  const model = text.slice(provider.id.length).replace(/^[-.:/]/, '');
  if (model === '' || programWords.includes(model)) return provider.id;
  return `${provider.id}-${correctModel(provider, model)}`;
}

/** `sonnet`, `flash`; also by the full name of the alias, as in `gpt-5.4-mini`. */
function byAlias(text: string, table: readonly Provider[]): string | undefined {
  for (const provider of table)
    for (const [alias, model] of Object.entries(provider.models))
      if (alias === text || (model === text && !isOfOther(text, provider, table)))
        return `${provider.id}-${alias}`;
  return undefined;
}

/** The CLI of another provider is the one of the maker of the model. */
function isOfOther(text: string, provider: Provider, table: readonly Provider[]): boolean {
  return table.some((other) => other !== provider && isFamily(text, other));
}

/** A model that no alias names, such as `gpt-5`, or only a family or a maker, such as `gpt` or `anthropic`. */
function byModelName(text: string, table: readonly Provider[]): string | undefined {
  const provider = table.find((one) => isFamily(text, one));
  if (provider === undefined) return undefined;
  const alias = firstWord(text);
  if (/\d/.test(text)) return `${provider.id}-${text}`;
  return Object.hasOwn(provider.models, alias) ? `${provider.id}-${alias}` : provider.id;
}

function isFamily(text: string, { families = [] }: Provider): boolean {
  return families.includes(firstWord(text)) || families.includes(text.split(/[-./]/)[0] ?? '');
}

/** `groq/llama-3.3`: a provider of many services knows it. */
function byService(text: string, table: readonly Provider[]): string | undefined {
  if (!text.includes('/')) return undefined;
  const provider = table.find(({ services }) => services?.includes(text.split('/')[0] ?? ''));
  return provider && `${provider.id}-${text}`;
}

/** `cluade-haiku`, `sonet`. */
function byMisspelling(text: string, table: readonly Provider[]): string | undefined {
  const joined = table.find(({ id }) => id === text.replaceAll('-', ''));
  if (joined !== undefined) return joined.id;
  const [first = '', ...model] = text.split('-');
  const id = closest(
    first,
    table.map((provider) => provider.id),
  );
  const provider = table.find((one) => one.id === id);
  if (provider !== undefined)
    return [provider.id, ...(model.length === 0 ? [] : [correctModel(provider, model.join('-'))])].join('-');
  // Three letters of a short word would be another word.
  const words = table.flatMap((one) => wordsOf(one).map((word) => ({ word, one })));
  const near =
    first.length < 4
      ? undefined
      : closest(
          firstWord(text),
          words.map(({ word }) => word),
        );
  const found = words.find(({ word }) => word === near);
  return found && byModelName(text.replace(firstWord(text), found.word), table);
}

/** The model with its misspelled words replaced. A word that is like no known one stays: new models are not listed. */
function correctModel(provider: Provider, model: string): string {
  const known = [...new Set(wordsOf(provider))];
  return model.replaceAll(/[A-Za-z]{3,}/g, (word) => {
    if (known.includes(word.toLowerCase())) return word;
    return closest(word, known) ?? word;
  });
}

/** The words in all names of the provider's models, its families and its services. */
function wordsOf({ models, families = [], services = [] }: Provider): readonly string[] {
  const names = [...Object.entries(models).flat(), ...families, ...services];
  return names.flatMap((name) => (name ?? '').toLowerCase().match(/[a-z]{3,}/g) ?? []);
}

function firstWord(text: string): string {
  return /^[a-z]+/.exec(text)?.[0] ?? '';
}
