/**
 * A workflow with every workflow that it calls → checked data, or everything that is wrong with any of them.
 *
 *   file ─ read-workflow.ts → outline, faults ─ calls.ts → the files it calls, in the same way
 *   all of them sound ─ build.ts → Workflow
 *
 * Each file is read once, however often it is called. Never throws, and takes bounded time.
 */
import { buildWorkflow } from './build.js';
import { inputProblems } from './call-rules.js';
import { withDefaultAgent } from './default-agent.js';
import { type Diagnostic, problem } from './diagnostic.js';
import {
  findPromptFile,
  findWorkflow,
  type WorkflowLibrary,
  type WorkflowSearchResult,
  type WorkflowSource,
} from './find-workflow.js';
import { withInnerSteps } from './outline.js';
import { readWorkflow, type WorkflowOutline } from './read-workflow.js';
import type { WorkflowReference } from './reference.js';
import { sortAndLimit } from './sort-and-limit.js';
import { excerpt } from './source-line.js';
import { referencesOf } from './step-templates.js';
import { didYouMean } from './suggest.js';
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
  root: WorkflowSource,
  library: WorkflowLibrary | undefined,
  options: LoadOptions,
): LoadedWorkflow {
  const loader = new Loader(library, options);
  const first = loader.load(root, []);
  const files = loader.checkedFiles();
  const isSound = files.every(({ diagnostics }) => diagnostics.every(({ severity }) => severity !== 'error'));
  if (!isSound || first.outline === undefined) return { files };
  return { workflow: withDefaultAgent(loader.build(first), options.defaultAgent ?? ''), files };
}

/** Bounds for files that were made to do harm; no workflow comes near them. */
const maxFiles = 100;
/** Characters of all of them. */
const maxTotalCharacters = 2_000_000;
const maxDepth = 20;
/** Calls in all, a workflow that is called twice counted twice. */
const maxCalls = 1000;

interface LoadedFile {
  readonly source: string;
  readonly text: string;
  readonly outline?: WorkflowOutline;
  readonly problems: Diagnostic[];
  readonly calledFiles: Map<WorkflowReference['path'], LoadedFile>;
  /** How many calls lie in it, and how deep. */
  callCount: number;
  depth: number;
  workflow?: Workflow;
}

class Loader {
  readonly #files = new Map<string, LoadedFile>();
  readonly #found = new Map<string, WorkflowSearchResult>();

  constructor(
    readonly library: WorkflowLibrary | undefined,
    readonly options: LoadOptions,
  ) {}

  /** `chain`: the sources from the root to the one that calls. */
  load(found: WorkflowSource, chain: readonly string[]): LoadedFile {
    const file = this.#read(found, chain.length === 0);
    this.#files.set(found.source, file);
    for (const reference of referencesIn(file)) this.#follow(reference, file, [...chain, found.source]);
    return file;
  }

  checkedFiles(): readonly CheckedFile[] {
    return [...this.#files.values()].map(({ source, text, problems }) => ({
      file: source,
      text,
      diagnostics: sortAndLimit(problems),
    }));
  }

  build(file: LoadedFile): Workflow {
    const follow = ({ path }: WorkflowReference): Workflow => {
      const called = file.calledFiles.get(path);
      return called === undefined ? emptyWorkflow(path) : this.build(called);
    };
    if (file.outline === undefined) return emptyWorkflow(file.source);
    file.workflow ??= buildWorkflow(file.outline.tree, file.source, follow);
    return file.workflow;
  }

  #read({ source, text, directory }: WorkflowSource, isRoot: boolean): LoadedFile {
    const { library } = this;
    const { providers, vars, defaultAgent } = this.options;
    const read = readWorkflow(text, {
      providers,
      defaultAgent,
      // What a called workflow finds under a name depends on who calls it: that is told there.
      vars: isRoot ? vars : undefined,
      readPrompt: library && ((path) => findPromptFile(path, directory, library)),
    });
    return {
      source,
      text,
      ...read,
      problems: [...read.problems],
      calledFiles: new Map(),
      callCount: 0,
      depth: 0,
    };
  }

  #follow(reference: WorkflowReference, file: LoadedFile, chain: readonly string[]): void {
    if (this.library === undefined || file.callCount > maxCalls) return;
    const found = this.#find(reference.path, this.library);
    if (!('text' in found)) {
      file.problems.push(unknownWorkflowProblem(reference, found, this.library));
    } else if (chain.includes(found.source)) {
      file.problems.push(
        cycleProblem(reference, [...chain.slice(chain.indexOf(found.source)), found.source]),
      );
    } else {
      this.#call(reference, file, found, chain);
    }
  }

  #find(path: string, library: WorkflowLibrary): WorkflowSearchResult {
    const found = this.#found.get(path) ?? findWorkflow(path, library);
    this.#found.set(path, found);
    return found;
  }

  #call(
    reference: WorkflowReference,
    file: LoadedFile,
    found: WorkflowSource,
    chain: readonly string[],
  ): void {
    const known = this.#files.get(found.source);
    if (known === undefined && !this.#hasRoomFor(found)) {
      file.problems.push(tooLargeProblem(reference, 'more workflows, or longer ones, than anybody needs'));
      return;
    }
    const called = known ?? this.load(found, chain);
    file.calledFiles.set(reference.path, called);
    file.callCount += 1 + called.callCount;
    file.depth = Math.max(file.depth, 1 + called.depth);
    const excess = exceededLimit(file);
    if (excess !== undefined) file.problems.push(tooLargeProblem(reference, excess));
    else this.#compare(reference, called, file);
  }

  #hasRoomFor({ text }: WorkflowSource): boolean {
    const length = [...this.#files.values()].reduce((sum, file) => sum + file.text.length, text.length);
    return this.#files.size < maxFiles && length <= maxTotalCharacters;
  }

  #compare(reference: WorkflowReference, called: LoadedFile, file: LoadedFile): void {
    // What a broken file asks for is guesswork.
    if (called.outline === undefined || file.outline === undefined || hasErrors(called)) return;
    file.problems.push(...inputProblems(reference, called.outline, file.outline, this.options.vars));
  }
}

function hasErrors({ problems }: LoadedFile): boolean {
  return problems.some(({ severity }) => severity === 'error');
}

function exceededLimit({ depth, callCount }: LoadedFile): string | undefined {
  if (depth > maxDepth) return `workflows that call each other more than ${maxDepth} deep`;
  return callCount > maxCalls ? `more than ${maxCalls} calls of workflows` : undefined;
}

function referencesIn({ outline }: LoadedFile): readonly WorkflowReference[] {
  return (outline?.steps ?? []).flatMap(withInnerSteps).flatMap(referencesOf);
}

/** In the place of a workflow that was not looked for. */
function emptyWorkflow(source: string): Workflow {
  return { name: source, source, sessionMatch: 'agent', onPause: 'fail', budget: {}, steps: [] };
}

type NotFound = Exclude<WorkflowSearchResult, WorkflowSource>;

function unknownWorkflowProblem(
  { path, at }: WorkflowReference,
  found: NotFound,
  { builtIns }: WorkflowLibrary,
): Diagnostic {
  const shown = `\`${excerpt(path)}\``;
  if ('problem' in found)
    return problem('unreadable-file', at, `The workflow ${shown} cannot be read: ${found.problem}`);
  const looked = ` Looked for: ${found.missing.join(', ')}.`;
  const hint = didYouMean(path, Object.keys(builtIns));
  return problem('unknown-workflow', at, `There is no workflow ${shown}.${hint}${looked}`);
}

function cycleProblem({ at }: WorkflowReference, chain: readonly string[]): Diagnostic {
  const way = chain.map((source) => excerpt(source)).join(' → ');
  return problem('workflow-cycle', at, `This workflow would call itself without end: ${way}.`);
}

function tooLargeProblem({ at }: WorkflowReference, what: string): Diagnostic {
  return problem('too-large', at, `With this one there are ${what}.`);
}
