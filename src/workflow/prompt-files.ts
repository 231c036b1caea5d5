/** `prompt: {file: PATH}` → the text of the file, so that all that follows knows only prompts that are there. */
import { type Diagnostic, fault } from './diagnostic.js';
import { type Tree, textIn } from './tree.js';

/** The text of a prompt file by the path that the workflow gives, or what is wrong, as a whole sentence. */
export type ReadPrompt = (path: string) => { readonly text: string } | { readonly fault: string };

export interface WithPrompts {
  readonly tree: Tree;
  readonly faults: readonly Diagnostic[];
}

/** The tree with the text of each file in the place of its path; one that cannot be read stays as it is. */
export function readPromptFiles(tree: Tree, read: ReadPrompt): WithPrompts {
  const faults: Diagnostic[] = [];
  const replaced = (one: Tree): Tree => {
    if (one.kind === 'scalar') return one;
    if (one.kind === 'list') return { ...one, items: one.items.map(replaced) };
    const entries = one.entries.map((entry) => ({
      ...entry,
      value: entry.key === 'prompt' ? promptOf(entry.value, read, faults) : replaced(entry.value),
    }));
    return { ...one, entries };
  };
  return { tree: replaced(tree), faults };
}

function promptOf(value: Tree, read: ReadPrompt, faults: Diagnostic[]): Tree {
  const path = value.kind === 'map' && value.entries.length === 1 ? textIn(value, 'file') : undefined;
  if (path === undefined) return value;
  const found = read(path.value.trim());
  if ('text' in found) return { kind: 'scalar', value: found.text, at: path.at };
  faults.push(fault('unreadable-file', path.at, found.fault));
  return value;
}
