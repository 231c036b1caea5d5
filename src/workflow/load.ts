/**
 * Loads a workflow and every workflow that it calls. The result is checked data, or the problems of all files.
 *
 *   file ─ read-workflow.ts → outline, problems; the same for each file that it calls
 *   all files valid ─ build.ts → Workflow
 *
 * Reads each file once, however often it is called. Never throws, and takes bounded time.
 */
import { buildWorkflow } from './build.js';
import { inputProblems } from './call-rules.js';
import { withDefaultAgent } from './default-agent.js';
import { type Diagnostic, problem } from './diagnostic.js';
import type { EventNamespace } from './event-names.js';
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
  /** Ids of the known providers (`claude`, `codex`, …). Absent: agent names are not checked. */
  readonly providers?: readonly string[] | undefined;
  /** Names of the variables of the run. Absent: template names without a dot are not checked. */
  readonly vars?: readonly string[] | undefined;
  /** What the event of the run is about. Absent: it is not checked which names of events have values. */
  readonly eventNamespaces?: readonly EventNamespace[] | undefined;
  /** The agent of steps that name none, also in called workflows. Absent: such a step is an error. */
  readonly defaultAgent?: string | undefined;
}

export interface LoadedWorkflow {
  /** Present if and only if no file has an error. */
  readonly workflow?: Workflow;
  /** The workflow itself first, then the workflows that it calls, in the order of discovery. */
  readonly files: readonly CheckedFile[];
}

export interface CheckedFile {
  /** A path from the working directory, or `built-in NAME`. */
  readonly file: string;
  readonly text: string;
  /** In the order of the file; at most 100, then one that gives the number of the others. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Without a library, prompt files and called workflows are not read: a call then has a workflow without steps. */
export function loadWorkflow(
  root: WorkflowSource,
  library: WorkflowLibrary | undefined,
  options: LoadOptions,
): LoadedWorkflow {
  const loader = new Loader(library, options);
  const first = loader.load(root, []);
  const files = loader.checkedFiles();
  const isValid = files.every(({ diagnostics }) => diagnostics.every(({ severity }) => severity !== 'error'));
  if (!isValid || first.outline === undefined) return { files };
  return { workflow: withDefaultAgent(loader.build(first), options.defaultAgent ?? ''), files };
}

/** Limits against malicious files. No real workflow reaches them. */
const maxFiles = 100;
/** Characters of all files together. */
const maxTotalCharacters = 2_000_000;
const maxDepth = 20;
/** All calls together. A workflow that is called twice counts twice, with everything that it calls. */
const maxCalls = 1000;

interface LoadedFile {
  readonly source: string;
  readonly text: string;
  readonly outline?: WorkflowOutline;
  readonly problems: Diagnostic[];
  readonly calledFiles: Map<WorkflowReference['path'], LoadedFile>;
  /** The number and the depth of the calls in this file and in all that it calls. */
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

  /** `chain`: the sources from the root to the caller. */
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
    const { providers, vars, eventNamespaces, defaultAgent } = this.options;
    const read = readWorkflow(text, {
      providers,
      defaultAgent,
      eventNamespaces,
      // The variables of a called workflow depend on its callers: `inputProblems` checks each call.
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
      file.problems.push(
        tooLargeProblem(
          reference,
          `more than ${maxFiles} workflows or more than ${maxTotalCharacters} characters`,
        ),
      );
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
    // The inputs of a file with errors are not known.
    if (called.outline === undefined || file.outline === undefined || hasErrors(called)) return;
    file.problems.push(...inputProblems(reference, called.outline, file.outline, this.options.vars));
  }
}

function hasErrors({ problems }: LoadedFile): boolean {
  return problems.some(({ severity }) => severity === 'error');
}

function exceededLimit({ depth, callCount }: LoadedFile): string | undefined {
  if (depth > maxDepth) return `calls nested more than ${maxDepth} deep`;
  return callCount > maxCalls ? `more than ${maxCalls} calls` : undefined;
}

function referencesIn({ outline }: LoadedFile): readonly WorkflowReference[] {
  return (outline?.steps ?? []).flatMap(withInnerSteps).flatMap(referencesOf);
}

/** Placeholder for a workflow that was not loaded. */
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
  const searched = ` Looked for: ${found.missing.join(', ')}.`;
  const hint = didYouMean(path, Object.keys(builtIns));
  return problem('unknown-workflow', at, `There is no workflow ${shown}.${hint}${searched}`);
}

function cycleProblem({ at }: WorkflowReference, chain: readonly string[]): Diagnostic {
  const path = chain.map((source) => excerpt(source)).join(' → ');
  return problem('workflow-cycle', at, `This workflow calls itself: ${path}. Remove one of these calls.`);
}

function tooLargeProblem({ at }: WorkflowReference, what: string): Diagnostic {
  return problem('too-large', at, `With this call, the workflow has ${what}. Remove calls.`);
}
