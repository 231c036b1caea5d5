/**
 * A workflow with every workflow that it calls → checked data, or everything that is wrong with any of them.
 *
 *   file ─ read-workflow.ts → outline, faults ─ calls.ts → the files it calls, in the same way
 *   all of them sound ─ build.ts → Workflow
 *
 * Each file is read once, however often it is called. Never throws, and takes bounded time.
 */
import { buildWorkflow } from './build.js';
import { inputFaults } from './call-rules.js';
import { withDefaultAgent } from './default-agent.js';
import { type Diagnostic, fault } from './diagnostic.js';
import { type FoundWorkflow, findPrompt, findWorkflow, type Library, type Search } from './library.js';
import { withInner } from './outline.js';
import { presented } from './presented.js';
import { readWorkflow, type WrittenWorkflow } from './read-workflow.js';
import type { Reference } from './reference.js';
import { excerpt } from './source-line.js';
import { didYouMean } from './suggest.js';
import { referencesOf } from './templates.js';
import type { Workflow } from './workflow.js';

export interface LoadOptions {
  /** Ids of the providers there are (`claude`, `codex`, …); without them agent names are not checked. */
  readonly providers?: readonly string[] | undefined;
  /** Names of the variables there are; without them names without a dot are not checked. */
  readonly vars?: readonly string[] | undefined;
  /** The agent of steps that name none, in called workflows too; without it such a step is at fault. */
  readonly defaultAgent?: string | undefined;
}

export interface LoadedWorkflow {
  /** There exactly when no diagnostic of any file is an error. */
  readonly workflow?: Workflow;
  /** The workflow itself first, then those it calls, in the order in which they were come upon. */
  readonly files: readonly CheckedFile[];
}

export interface CheckedFile {
  /** A path from the working directory, or `built-in NAME`. */
  readonly file: string;
  readonly text: string;
  /** In the order of the file; at most 100, and one more that says so. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Without a library neither prompt files nor other workflows are looked for: a call then has one without steps. */
export function loadWorkflow(
  root: FoundWorkflow,
  library: Library | undefined,
  options: LoadOptions,
): LoadedWorkflow {
  const loader = new Loader(library, options);
  const first = loader.load(root, []);
  const files = loader.checked();
  const isSound = files.every(({ diagnostics }) => diagnostics.every(({ severity }) => severity !== 'error'));
  if (!isSound || first.written === undefined) return { files };
  return { workflow: withDefaultAgent(loader.build(first), options.defaultAgent ?? ''), files };
}

/** Bounds for files that were made to do harm; no workflow comes near them. */
const mostFiles = 100;
/** Characters of all of them. */
const longest = 2_000_000;
const deepest = 20;
/** Calls in all, a workflow that is called twice counted twice. */
const mostCalls = 1000;

interface LoadedFile {
  readonly source: string;
  readonly text: string;
  readonly written?: WrittenWorkflow;
  readonly faults: Diagnostic[];
  readonly called: Map<Reference['path'], LoadedFile>;
  /** How many calls lie in it, and how deep. */
  calls: number;
  depth: number;
  workflow?: Workflow;
}

class Loader {
  readonly #files = new Map<string, LoadedFile>();
  readonly #found = new Map<string, Search>();

  constructor(
    readonly library: Library | undefined,
    readonly options: LoadOptions,
  ) {}

  /** `chain`: the sources from the root to the one that calls. */
  load(found: FoundWorkflow, chain: readonly string[]): LoadedFile {
    const file = this.#read(found, chain.length === 0);
    this.#files.set(found.source, file);
    for (const reference of referencesIn(file)) this.#follow(reference, file, [...chain, found.source]);
    return file;
  }

  checked(): readonly CheckedFile[] {
    return [...this.#files.values()].map(({ source, text, faults }) => ({
      file: source,
      text,
      diagnostics: presented(faults),
    }));
  }

  build(file: LoadedFile): Workflow {
    const follow = ({ path }: Reference): Workflow => {
      const called = file.called.get(path);
      return called === undefined ? unread(path) : this.build(called);
    };
    if (file.written === undefined) return unread(file.source);
    file.workflow ??= buildWorkflow(file.written.tree, file.source, follow);
    return file.workflow;
  }

  #read({ source, text, directory }: FoundWorkflow, isRoot: boolean): LoadedFile {
    const { library } = this;
    const { providers, vars, defaultAgent } = this.options;
    const read = readWorkflow(text, {
      providers,
      defaultAgent,
      // What a called workflow finds under a name depends on who calls it: that is told there.
      vars: isRoot ? vars : undefined,
      readPrompt: library && ((path) => findPrompt(path, directory, library)),
    });
    return { source, text, ...read, faults: [...read.faults], called: new Map(), calls: 0, depth: 0 };
  }

  #follow(reference: Reference, file: LoadedFile, chain: readonly string[]): void {
    if (this.library === undefined || file.calls > mostCalls) return;
    const found = this.#find(reference.path, this.library);
    if (!('text' in found)) {
      file.faults.push(unknown(reference, found, this.library));
    } else if (chain.includes(found.source)) {
      file.faults.push(cycle(reference, [...chain.slice(chain.indexOf(found.source)), found.source]));
    } else {
      this.#call(reference, file, found, chain);
    }
  }

  #find(path: string, library: Library): Search {
    const found = this.#found.get(path) ?? findWorkflow(path, library);
    this.#found.set(path, found);
    return found;
  }

  #call(reference: Reference, file: LoadedFile, found: FoundWorkflow, chain: readonly string[]): void {
    const known = this.#files.get(found.source);
    if (known === undefined && !this.#hasRoomFor(found)) {
      file.faults.push(tooMany(reference, 'more workflows, or longer ones, than anybody needs'));
      return;
    }
    const called = known ?? this.load(found, chain);
    file.called.set(reference.path, called);
    file.calls += 1 + called.calls;
    file.depth = Math.max(file.depth, 1 + called.depth);
    const excess = excessOf(file);
    if (excess !== undefined) file.faults.push(tooMany(reference, excess));
    else this.#compare(reference, called, file);
  }

  #hasRoomFor({ text }: FoundWorkflow): boolean {
    const length = [...this.#files.values()].reduce((sum, file) => sum + file.text.length, text.length);
    return this.#files.size < mostFiles && length <= longest;
  }

  #compare(reference: Reference, called: LoadedFile, file: LoadedFile): void {
    // What a broken file asks for is guesswork.
    if (called.written === undefined || file.written === undefined || isBroken(called)) return;
    file.faults.push(...inputFaults(reference, called.written, file.written, this.options.vars));
  }
}

function isBroken({ faults }: LoadedFile): boolean {
  return faults.some(({ severity }) => severity === 'error');
}

function excessOf({ depth, calls }: LoadedFile): string | undefined {
  if (depth > deepest) return `workflows that call each other more than ${deepest} deep`;
  return calls > mostCalls ? `more than ${mostCalls} calls of workflows` : undefined;
}

function referencesIn({ written }: LoadedFile): readonly Reference[] {
  return (written?.steps ?? []).flatMap(withInner).flatMap(referencesOf);
}

/** In the place of a workflow that was not looked for. */
function unread(source: string): Workflow {
  return { name: source, source, sessionMatch: 'agent', onPause: 'fail', budget: {}, steps: [] };
}

type NotFound = Exclude<Search, FoundWorkflow>;

function unknown({ path, at }: Reference, found: NotFound, { builtIns }: Library): Diagnostic {
  const shown = `\`${excerpt(path)}\``;
  if ('fault' in found)
    return fault('unreadable-file', at, `The workflow ${shown} cannot be read: ${found.fault}`);
  const looked = ` Looked for: ${found.missing.join(', ')}.`;
  const hint = didYouMean(path, Object.keys(builtIns));
  return fault('unknown-workflow', at, `There is no workflow ${shown}.${hint}${looked}`);
}

function cycle({ at }: Reference, chain: readonly string[]): Diagnostic {
  const way = chain.map((source) => excerpt(source)).join(' → ');
  return fault('workflow-cycle', at, `This workflow would call itself without end: ${way}.`);
}

function tooMany({ at }: Reference, what: string): Diagnostic {
  return fault('too-large', at, `With this one there are ${what}.`);
}
