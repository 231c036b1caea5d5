/** Replaces `prompt: {file: PATH}` with the text of the file, so that the following code handles only text prompts. */
import { type Diagnostic, problem } from './diagnostic.js';
import { textIn, type YamlNode } from './yaml-node.js';

/** Reads the prompt file at the path that the workflow names. `problem` is a full sentence. */
export type PromptReader = (path: string) => { readonly text: string } | { readonly problem: string };

export interface InlinedPrompts {
  readonly tree: YamlNode;
  readonly problems: readonly Diagnostic[];
}

/** Returns the tree with the text of each prompt file. An unreadable file is reported and its mapping stays. */
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
