/** What a name in a template stands for while a step runs. Pure: the engine hands in what it knows. */

export interface NameScope {
  /** Path of the step that runs: names of steps joined by `/`. */
  readonly path: string;
  /** Number of this attempt, from 1. */
  readonly attempt: number;
  readonly spec?: string | undefined;
  /** Why the attempt before failed, and what it changed; absent where there was none. */
  readonly error?: string | undefined;
  readonly diff?: string | undefined;
  /** What the step itself has brought forth so far. */
  readonly step: { readonly output?: string | undefined };
  /** State fields of the attempt before: `status`, `output`, `gate.test`, … */
  readonly prev: Readonly<Record<string, string>>;
  /** The step's own gates as they stood after the attempt before, by gate name. */
  readonly gates: Readonly<Record<string, GateNames>>;
  /** `name`, `description` and `files` of the task that the step belongs to. */
  readonly task?: Readonly<Record<string, string>>;
  /** Top-level variables of the user (input `vars`). */
  readonly vars: Readonly<Record<string, string>>;
  /** Everything recorded so far: `<step path>.<field>` → value. */
  readonly state: ReadonlyMap<string, string>;
}

export interface GateNames {
  readonly pass: boolean;
  readonly comments?: string | undefined;
  readonly error?: string | undefined;
}

/** Namespaces of the language's former version, which stand for nothing now. */
export const removedNamespaces = ['steps', 'item', 'run'] as const;

/** `undefined`: nothing of that name is known here. */
export function resolveName(name: string, scope: NameScope): string | undefined {
  if (Object.hasOwn(ofAttempt, name)) return ofAttempt[name]?.(scope);
  const [namespace = '', ...rest] = name.split('.');
  if (rest.length > 0) {
    if (namespace === 'prev') return scope.attempt > 1 ? own(scope.prev, rest.join('.')) : undefined;
    if (namespace === 'task' && scope.task !== undefined) return own(scope.task, rest.join('.'));
    if (namespace === 'gate') return scope.attempt > 1 ? ofGate(rest, scope) : undefined;
    if ((removedNamespaces as readonly string[]).includes(namespace)) return undefined;
  }
  return own(scope.vars, name) ?? ofState(name, scope);
}

const ofAttempt: Readonly<Record<string, (scope: NameScope) => string | undefined>> = {
  spec: (scope) => scope.spec,
  attempt: (scope) => String(scope.attempt),
  error: (scope) => scope.error,
  diff: (scope) => scope.diff,
  output: (scope) => scope.step.output,
};

function ofGate([gate = '', field, ...more]: readonly string[], scope: NameScope): string | undefined {
  const known = Object.hasOwn(scope.gates, gate) ? scope.gates[gate] : undefined;
  if (known === undefined || more.length > 0) return undefined;
  if (field === undefined || field === 'pass') return String(known.pass);
  if (field === 'comments') return known.comments;
  return field === 'error' ? known.error : undefined;
}

/** From the scope the step stands in outwards: for `build/a/impl` in `build/a`, then `build`, then the workflow. */
function ofState(name: string, scope: NameScope): string | undefined {
  const folders = scope.path.split('/').slice(0, -1);
  for (let depth = folders.length; depth >= 0; depth--) {
    const found = scope.state.get([...folders.slice(0, depth), name].join('/'));
    if (found !== undefined) return found;
  }
  return undefined;
}

// Own properties only: `{constructor}` and `{toString}` are names like any other.
function own(record: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
