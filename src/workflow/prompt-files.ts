/** `prompt: {file: PATH}` → the text of the file, so that all that follows knows only prompts that are there. */
import { type Diagnostic, problem } from './diagnostic.js';
import { textIn, type YamlNode } from './yaml-node.js';

/** The text of a prompt file by the path that the workflow gives, or what is wrong, as a whole sentence. */
export type PromptReader = (path: string) => { readonly text: string } | { readonly problem: string };

export interface InlinedPrompts {
  readonly tree: YamlNode;
  readonly problems: readonly Diagnostic[];
}

/** The tree with the text of each file in the place of its path; one that cannot be read stays as it is. */
export function inlinePromptFiles(tree: YamlNode, read: PromptReader): InlinedPrompts {
  const problems: Diagnostic[] = [];
  const inline = (one: YamlNode): YamlNode => {
    if (one.kind === 'scalar') return one;
    if (one.kind === 'list') return { ...one, items: one.items.map(inline) };
    const entries = one.entries.map((entry) => ({
      ...entry,
      value: entry.key === 'prompt' ? inlinePrompt(entry.value, read, problems) : inline(entry.value),
    }));
    return { ...one, entries };
  };
  return { tree: inline(tree), problems };
}

function inlinePrompt(value: YamlNode, read: PromptReader, problems: Diagnostic[]): YamlNode {
  const path = value.kind === 'map' && value.entries.length === 1 ? textIn(value, 'file') : undefined;
  if (path === undefined) return value;
  const found = read(path.value.trim());
  if ('text' in found) return { kind: 'scalar', value: found.text, at: path.at };
  problems.push(problem('unreadable-file', path.at, found.problem));
  return value;
}
