/**
 * The keys of a step: which kinds of step accept a key, and in which block it may be. The schema (`syntax.ts`), the
 * outline and the rules read this table.
 */

/** The kind of a step follows from its keys, even if their values are wrong. */
export type StepKind = 'agent' | 'split' | 'gates' | 'group' | 'call';

export type Block = 'get' | 'run';
export const blocks: readonly Block[] = ['get', 'run'];

interface StepKey {
  readonly kinds: readonly StepKind[];
  /** The key may be in this block, or in the step itself if the step does not have the block. */
  readonly block?: Block;
  /** A step with this key has an agent, unless it is a group or calls a workflow. */
  readonly impliesAgent?: true;
}

const withAgent = ['agent', 'split'] as const;
const withLimits = [...withAgent, 'group', 'call'] as const;
const all = [...withLimits, 'gates'] as const;

const stepKeys = {
  name: { kinds: all },
  type: { kinds: withAgent, impliesAgent: true },
  each: { kinds: ['split'], impliesAgent: true },
  files: { kinds: ['split'] },
  steps: { kinds: ['group'] },
  parallel: { kinds: ['split', 'group'] },
  max_parallel: { kinds: ['split', 'group'] },
  workflow: { kinds: ['call'] },
  with: { kinds: ['call'] },
  get: { kinds: withAgent, impliesAgent: true },
  run: { kinds: withLimits, impliesAgent: true },
  prompt: { kinds: withAgent, block: 'get', impliesAgent: true },
  context: { kinds: withAgent, block: 'get' },
  worktree: { kinds: withAgent, block: 'get' },
  session: { kinds: withAgent, block: 'get' },
  agent: { kinds: withAgent, block: 'run', impliesAgent: true },
  fallback: { kinds: withAgent, block: 'run' },
  guard: { kinds: withLimits, block: 'run' },
  permissions: { kinds: withAgent, block: 'run' },
  hitl: { kinds: all, block: 'run' },
  gate: { kinds: all },
  retry: { kinds: withLimits },
} as const satisfies Readonly<Record<string, StepKey>>;

export type StepKeyName = keyof typeof stepKeys;

/** The keys that may be in a block. */
export type BlockKeyName<Name extends Block> = {
  [Key in StepKeyName]: (typeof stepKeys)[Key] extends { readonly block: Name } ? Key : never;
}[StepKeyName];

const table: Readonly<Record<StepKeyName, StepKey>> = stepKeys;
const names = Object.keys(stepKeys) as readonly StepKeyName[];

export function blockOf(key: StepKeyName): Block | undefined {
  return table[key].block;
}

export function keysOfBlock(block: Block): readonly StepKeyName[] {
  return names.filter((key) => table[key].block === block);
}

export function acceptsKey(kind: StepKind, key: StepKeyName): boolean {
  return table[key].kinds.includes(kind);
}

/** The keys that a kind of step does not accept. */
export function keysNotOf(kind: StepKind): readonly StepKeyName[] {
  return names.filter((key) => !acceptsKey(kind, key));
}

/** The keys by which a step is recognized as a step with an agent. */
export const agentStepKeys: readonly StepKeyName[] = names.filter((key) => table[key].impliesAgent);
