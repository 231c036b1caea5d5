/**
 * The inputs of the action, from texts to typed values. Strict: what is not of its kind is a fault that names
 * the input, the value and what is allowed; all faults are told at once. Whether files, steps and agents exist
 * is looked at by those who use them. Plain functions, because a schema library costs start-up time here
 * (platform.md 7.2) and says less well what is allowed.
 */
import { stateKeyLines } from './checkpoint/seal-secrets.js';
import { UserError, UserErrors } from './failure.js';
import { quoted, readListMapping, readMapping } from './mapping-input.js';
import type { Permission } from './providers/provider.js';
import { isRunnerVariable } from './security/secret-names.js';
import type { Environment } from './system/environment.js';
import { readDuration } from './workflow/duration.js';
import { readAmount } from './workflow/numbers.js';

/** Gates whose command the input `commands` can give. */
export const commandGates = ['compile', 'test', 'lint', 'coverage'] as const;

export interface Inputs {
  readonly workflow: string;
  /** The text of `{spec}`, or the file that has it; absent: neither was given. */
  readonly spec?:
    | { readonly from: 'text'; readonly text: string }
    | { readonly from: 'file'; readonly file: string };
  readonly vars: Readonly<Record<string, string>>;
  /** Replaces the agent of every step. */
  readonly agent?: string;
  readonly workingDirectory: string;
  readonly resume: 'auto' | 'require' | 'never';
  /** Absent: derived from the job. */
  readonly stateName?: string;
  /** The first seals, any opens; none: provider credentials seal. */
  readonly stateKeys: readonly string[];
  readonly stateStore: { readonly kind: 'cache' } | { readonly kind: 'directory'; readonly path: string };
  readonly fromStep?: string;
  readonly until?: string;
  /** Dollars, over all attempts and re-runs. */
  readonly maxBudget?: number;
  /** Milliseconds that this job's part may take. */
  readonly maxTimeMs?: number;
  /** The paused step that may go on. */
  readonly approve?: string;
  /** Makes a fresh work tree ready. */
  readonly worktreeSetup?: string;
  readonly onLostSession: 'new' | 'fail';
  readonly onNoCredentials: 'auto' | 'skip' | 'fail';
  /** What becomes of a CLI that is missing: put into the tool cache, or a fault. */
  readonly install: 'auto' | 'never';
  /** Provider → the exact version of its CLI. */
  readonly cliVersions: Readonly<Record<string, string>>;
  /** Provider → further arguments for its CLI. */
  readonly agentArgs: Readonly<Record<string, readonly string[]>>;
  /** Of steps that do not say it themselves; absent: what their kind needs. */
  readonly permissions?: Permission;
  /** Names and globs. */
  readonly passEnv: readonly string[];
  readonly commands: Readonly<Partial<Record<(typeof commandGates)[number], string>>>;
  readonly apply: 'workspace' | 'none';
  /** Only check and show what would run. */
  readonly dryRun: boolean;
  readonly keepSessions: boolean;
  readonly githubToken?: string;
  /** The leg of the matrix that this job is; absent where there is no matrix. */
  readonly matrix?: Readonly<Record<string, unknown>>;
  /** How the job stands; absent where the runner does not say. */
  readonly jobStatus?: 'success' | 'failure' | 'cancelled';
}

/** The text of one input as the runner hands it over, blanks included; empty when it is not set. */
export type GetInput = (name: string) => string;

/**
 * Inputs as they stand in the environment of a step. Not `core.getInput`: it takes the blanks off the front,
 * which makes an indented YAML mapping another one.
 */
export function createGetInput(environment: Environment): GetInput {
  return (name) => environment[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] ?? '';
}

/** Reads all inputs. Throws `UserErrors` with every fault; no fault shows a secret. */
export function readInputs(get: GetInput): Inputs {
  const problems: string[] = [];
  const read = <T>(name: string, reader: (text: string) => T, fallback: T): T => {
    try {
      return reader(get(name).trim());
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error.message);
      return fallback;
    }
  };
  const choice = <T extends string>(name: string, allowed: readonly [T, ...T[]]): T =>
    read(name, (text) => readChoice(name, text, allowed), allowed[0]);

  const inputs: Inputs = {
    workflow: read('workflow', readWorkflow, ''),
    ...given(
      'spec',
      read('spec', (text) => readSpec(text, get('spec-file').trim()), undefined),
    ),
    vars: read('vars', () => readVars(get('vars')), {}),
    ...given('agent', get('agent').trim() || undefined),
    workingDirectory: get('working-directory').trim() || '.',
    resume: choice('resume', ['auto', 'require', 'never']),
    ...given('stateName', get('state-name').trim() || undefined),
    stateKeys: read('state-key', stateKeyLines, []),
    stateStore: read('state-store', readStateStore, { kind: 'cache' }),
    ...given('fromStep', get('from-step').trim() || undefined),
    ...given('until', get('until').trim() || undefined),
    ...given('approve', get('approve').trim() || undefined),
    ...given('maxBudget', read('max-budget', readMaxBudget, undefined)),
    ...given('maxTimeMs', read('max-time', readMaxTime, undefined)),
    ...given('worktreeSetup', get('worktree-setup').trim() || undefined),
    onLostSession: choice('on-lost-session', ['new', 'fail']),
    onNoCredentials: choice('on-no-credentials', ['auto', 'skip', 'fail']),
    install: choice('install', ['auto', 'never']),
    cliVersions: read('cli-versions', () => readCliVersions(get('cli-versions')), {}),
    agentArgs: read('agent-args', () => readListMapping('agent-args', get('agent-args')), {}),
    ...given(
      'permissions',
      explicitPermission(choice('permissions', ['auto', 'full', 'workspace', 'read-only'])),
    ),
    passEnv: read('pass-env', readPassEnv, []),
    commands: read('commands', () => readCommands(get('commands')), {}),
    apply: choice('apply', ['workspace', 'none']),
    dryRun: read('dry-run', (text) => readBoolean('dry-run', text), false),
    keepSessions: read('keep-sessions', (text) => readBoolean('keep-sessions', text), false),
    ...given('githubToken', get('github-token').trim() || undefined),
    ...given('matrix', read('matrix', readMatrix, undefined)),
    ...given('jobStatus', read('job-status', readJobStatus, undefined)),
  };
  if (problems.length > 0) throw new UserErrors(problems);
  return inputs;
}

function given<K extends string, T>(key: K, value: T | undefined): { readonly [key in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: T });
}

function explicitPermission(text: Permission | 'auto'): Permission | undefined {
  return text === 'auto' ? undefined : text;
}

function readWorkflow(text: string): string {
  if (text !== '') return text;
  throw new UserError(
    'Input workflow is empty: give the path of a workflow file (.yaml, .yml) or the name of one in .gump/workflows.',
  );
}

function readSpec(text: string, file: string): Inputs['spec'] {
  if (text !== '' && file !== '') {
    throw new UserError(`Inputs spec and spec-file (${quoted(file)}) are both set: leave one of them out.`);
  }
  if (file !== '') return { from: 'file', file };
  return text === '' ? undefined : { from: 'text', text };
}

/** The first of `allowed` is the default, taken for an empty text. */
function readChoice<T extends string>(name: string, text: string, allowed: readonly [T, ...T[]]): T {
  const found = text === '' ? allowed[0] : allowed.find((one) => one === text);
  if (found !== undefined) return found;
  throw new UserError(`Input ${name}: ${quoted(text)} is not allowed. Allowed: ${allowed.join(', ')}.`);
}

/** As YAML 1.2 has it, and `core.getBooleanInput`. */
function readBoolean(name: string, text: string): boolean {
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)?$/.test(text)) return false;
  throw new UserError(`Input ${name}: ${quoted(text)} is not allowed. Allowed: true, false.`);
}

function readMaxBudget(text: string): number | undefined {
  if (text === '') return undefined;
  const amount = readAmount(text);
  if (amount !== undefined && amount > 0) return amount;
  throw new UserError(
    `Input max-budget: ${quoted(text)} is not allowed. Allowed: US dollars, such as 5 or 2.50.`,
  );
}

function readMaxTime(text: string): number | undefined {
  if (text === '') return undefined;
  const ms = readDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new UserError(
    `Input max-time: ${quoted(text)} is not allowed. Allowed: a length of time, such as 90s, 50m or 1h30m.`,
  );
}

function readStateStore(text: string): Inputs['stateStore'] {
  if (text === '' || text === 'cache') return { kind: 'cache' };
  const path = /^directory:(.*)$/.exec(text)?.[1]?.trim();
  if (path) return { kind: 'directory', path };
  throw new UserError(
    `Input state-store: ${quoted(text)} is not allowed. Allowed: cache, or directory:PATH with a path of this machine.`,
  );
}

function readPassEnv(text: string): readonly string[] {
  const entries = text.split('\n').map((line) => line.trim());
  const problems = entries.filter((entry) => entry !== '').flatMap(findPassEnvProblem);
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  return [...new Set(entries.filter((entry) => entry !== ''))];
}

function findPassEnvProblem(entry: string): readonly string[] {
  if (!/^[\w.*?-]+$/.test(entry)) {
    return [
      `Input pass-env: ${quoted(entry)} is not allowed. Allowed: names of variables or globs with * and ?, one a line.`,
    ];
  }
  if (!isRunnerVariable(entry)) return [];
  return [
    `Input pass-env: ${quoted(entry)} is not allowed, it is between the runner and the action ` +
      '(ACTIONS_*, INPUT_*, STATE_*, GITHUB_ENV, GITHUB_PATH, GITHUB_OUTPUT, GITHUB_STATE, GITHUB_STEP_SUMMARY). Remove it.',
  ];
}

/** Names that the language gives a meaning of its own; a variable of that name would never be seen. */
const reservedNames: ReadonlySet<string> = new Set(['spec', 'attempt', 'error', 'diff', 'output']);

function readVars(text: string): Readonly<Record<string, string>> {
  return readMapping('vars', text, (name) => {
    if (reservedNames.has(name))
      return 'is a name of the workflow language itself. Give the variable another name';
    return /^[\w/-][\w./-]*$/.test(name)
      ? undefined
      : 'is no template name. Allowed: letters, digits and the characters _ . / -';
  });
}

function readCommands(text: string): Inputs['commands'] {
  const gates: readonly string[] = commandGates;
  const commands = readMapping('commands', text, (name) =>
    gates.includes(name) ? undefined : `is no gate with a command. Allowed: ${gates.join(', ')}`,
  );
  const empty = Object.keys(commands).filter((name) => commands[name]?.trim() === '');
  if (empty.length === 0) return commands;
  throw new UserError(`Input commands: ${empty.join(', ')} has no command. Give one, or leave the line out.`);
}

/** As npm publishes them: a range or a tag would be another version tomorrow. */
const exactVersion = /^\d+\.\d+\.\d+(?:-[\w.-]+)?$/;

function readCliVersions(text: string): Readonly<Record<string, string>> {
  const versions = readMapping('cli-versions', text, () => undefined);
  const problems = Object.entries(versions)
    .filter(([, version]) => !exactVersion.test(version))
    .map(
      ([name, version]) =>
        `Input cli-versions: ${quoted(version)} of ${quoted(name)} is not allowed. Allowed: one exact version, such as 1.2.3.`,
    );
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  return versions;
}

function readMatrix(text: string): Inputs['matrix'] {
  const value = text === '' ? null : parseJson(text);
  if (value === null) return undefined;
  if (typeof value === 'object' && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw new UserError(
    `Input matrix: ${quoted(text)} is not allowed. Leave it out: its default is \${{ toJSON(matrix) }}.`,
  );
}

/** `undefined` for what is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readJobStatus(text: string): Inputs['jobStatus'] {
  if (text === '') return undefined;
  return readChoice<'success' | 'failure' | 'cancelled'>('job-status', text, [
    'success',
    'failure',
    'cancelled',
  ]);
}
