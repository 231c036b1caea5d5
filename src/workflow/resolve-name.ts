/** Resolves a name in a template while a step runs. Pure: the engine passes everything in as data. */
import { enclosingPrefixes, pathOf, prefixBelow } from '../step-path.js';
import { diffSincePrevious } from './previous-names.js';

export interface NameScope {
  /** Path of the running step: step names joined by `/`. */
  readonly path: string;
  /** Prefix of all step paths of the step's workflow. The search does not leave this workflow. */
  readonly workflowPrefix: string;
  /** Number of this attempt, from 1. */
  readonly attempt: number;
  /** Inputs from the caller of the workflow. They take precedence over everything else. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly spec?: string | undefined;
  /** Why the previous attempt failed, and what it changed; absent in the first attempt. */
  readonly error?: string | undefined;
  readonly diff?: string | undefined;
  /** Results of the step itself so far. */
  readonly step: { readonly output?: string | undefined };
  /** State fields of the previous attempt: `status`, `output`, `gate.test`, … */
  readonly prev: Readonly<Record<string, string>>;
  /** Results of the step's own gates after the previous attempt, by gate name. */
  readonly gates: Readonly<Record<string, GateFields>>;
  /** Name → path of the workflow that `get` ran for the step before this attempt. */
  readonly getPaths: Readonly<Record<string, string>>;
  /** `name`, `description` and `files` of the task that the step belongs to. */
  readonly task?: Readonly<Record<string, string>>;
  /** Top-level variables of the user (input `vars`). */
  readonly vars: Readonly<Record<string, string>>;
  /** Values of names that stand for the event of the run. Everything else of the same name takes precedence. */
  readonly event?: ReadonlyMap<string, string>;
  /** All results so far: `<step path>.<field>` → value. */
  readonly state: ReadonlyMap<string, string>;
  /** Of the earlier run on the same subject: `commit`, `<step path>.<field>`, `pr.diff_since_previous` → value. */
  readonly previous?: ReadonlyMap<string, string>;
}

export interface GateFields {
  readonly pass: boolean;
  readonly comments?: string | undefined;
  readonly error?: string | undefined;
}

/** Namespaces of an earlier version of the language, which are no longer defined. */
export const removedNamespaces = ['steps', 'item', 'run'] as const;

/** Returns `undefined` if the name is not defined here. */
export function resolveName(name: string, scope: NameScope): string | undefined {
  const given = own(scope.inputs, name);
  if (given !== undefined) return given;
  if (Object.hasOwn(attemptVariableReaders, name)) return attemptVariableReaders[name]?.(scope);
  if (name === diffSincePrevious) return scope.previous?.get(name);
  const [namespace = '', ...rest] = name.split('.');
  if (rest.length > 0) {
    if (namespace === 'previous') {
      const earlier = resolvePreviousName(rest.join('.'), scope);
      if (earlier !== undefined) return earlier;
    }
    if (namespace === 'prev') return scope.attempt > 1 ? own(scope.prev, rest.join('.')) : undefined;
    if (namespace === 'task' && scope.task !== undefined) return own(scope.task, rest.join('.'));
    if (namespace === 'gate') return scope.attempt > 1 ? resolveGateField(rest, scope) : undefined;
    if ((removedNamespaces as readonly string[]).includes(namespace)) return scope.event?.get(name);
    const calledPath = own(scope.getPaths, namespace);
    if (calledPath !== undefined)
      return first(stateKeysOf(rest.join('.')).map((key) => resolveCallField(calledPath, key, scope)));
  }
  return own(scope.vars, name) ?? resolveStateName(name, scope) ?? scope.event?.get(name);
}

const attemptVariableReaders: Readonly<Record<string, (scope: NameScope) => string | undefined>> = {
  spec: (scope) => scope.spec,
  attempt: (scope) => String(scope.attempt),
  error: (scope) => scope.error,
  diff: (scope) => scope.diff,
  output: (scope) => scope.step.output,
};

function resolveGateField(
  [gate = '', field, ...more]: readonly string[],
  scope: NameScope,
): string | undefined {
  const known = Object.hasOwn(scope.gates, gate) ? scope.gates[gate] : undefined;
  if (known === undefined || more.length > 0) return undefined;
  if (field === undefined || field === 'pass') return String(known.pass);
  if (field === 'comments') return known.comments;
  return field === 'error' ? known.error : undefined;
}

/** `arch.output` is a result of the called workflow, `arch.review.output` one of a step in it. */
function resolveCallField(path: string, key: string, { state }: NameScope): string | undefined {
  return state.get(`${path}.${key}`) ?? state.get(pathOf(prefixBelow(path), withoutState(key)));
}

/**
 * The state keys that a name may refer to: the name itself, and the name with more and more of its leading dots
 * replaced by `/`, for results of steps in a called workflow. `check.review.output` is `check/review.output`; the
 * language reference writes it as `check.state.review.output`.
 */
export function stateKeysOf(name: string): readonly string[] {
  const parts = withoutState(name).split('.');
  if (parts.length < 2) return parts;
  return parts.slice(0, -1).map((_, depth) => {
    const rest = parts.slice(depth).join('.');
    return [...parts.slice(0, depth), rest].join('/');
  });
}

function withoutState(name: string): string {
  return name.replaceAll(/(^|\.)state\.(?=[^.]+\.)/g, '$1');
}

/** A step of the earlier run is found by its name from the scope of this step outwards, or by its whole path. */
function resolvePreviousName(
  name: string,
  { previous, path, workflowPrefix }: NameScope,
): string | undefined {
  const prefixes = enclosingPrefixes(path, workflowPrefix);
  return previous && first([...prefixes, ''].map((prefix) => previous.get(pathOf(prefix, name))));
}

/** Searches from the scope of the step outwards up to its workflow: for `build/a/impl` in `build/a`, then `build`, then the workflow. */
function resolveStateName(name: string, scope: NameScope): string | undefined {
  const keys = stateKeysOf(name);
  const prefixes = enclosingPrefixes(scope.path, scope.workflowPrefix);
  return first(prefixes.flatMap((prefix) => keys.map((key) => scope.state.get(pathOf(prefix, key)))));
}

function first(values: readonly (string | undefined)[]): string | undefined {
  return values.find((value) => value !== undefined);
}

// Own properties only: `{constructor}` and `{toString}` are names like any other.
function own(record: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
