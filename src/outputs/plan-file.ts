/** The plan that a split's agent writes (`.gump/out/plan.json`), and the paths its tasks get. Pure. */
import { createHash } from 'node:crypto';

export interface Task {
  readonly name: string;
  readonly description: string;
  /** Globs or paths the task is meant to touch. */
  readonly files: readonly string[];
  /** The task's part of a step path: safe in file names, and no two names share one. */
  readonly slug: string;
}

/** The tasks of a plan; a text instead says what is wrong with it. */
export function readPlan(text: string | undefined): readonly Task[] | string {
  if (text === undefined) return 'The agent left no .gump/out/plan.json.';
  const value = parseJson(text);
  if (!Array.isArray(value)) return '.gump/out/plan.json is not a JSON array of tasks.';
  const problems = value.flatMap((item, index) => taskFault(item, index));
  if (problems.length > 0) return `.gump/out/plan.json: ${problems.join('; ')}.`;
  const tasks = value.map(toTask);
  const names = tasks.map((task) => task.name);
  const duplicateName = names.find((name, index) => names.indexOf(name) !== index);
  if (duplicateName !== undefined)
    return `.gump/out/plan.json has two tasks with the name "${duplicateName}".`;
  const paths = tasks.map((task) => task.slug);
  const shared = paths.find((path, index) => paths.indexOf(path) !== index);
  return shared === undefined
    ? tasks
    : `.gump/out/plan.json has two tasks whose names both read "${shared}" in paths.`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function taskFault(item: unknown, index: number): readonly string[] {
  const label = `task ${index + 1}`;
  if (typeof item !== 'object' || item === null) return [`${label} is not an object`];
  const { name, description, files } = item as Readonly<Record<string, unknown>>;
  const problems = [];
  if (typeof name !== 'string' || name.trim() === '') problems.push(`${label} has no "name"`);
  if (description !== undefined && typeof description !== 'string')
    problems.push(`"description" of ${label} is not a text`);
  const isList = Array.isArray(files) && files.every((file) => typeof file === 'string');
  if (files !== undefined && !isList) problems.push(`"files" of ${label} is not a list of texts`);
  return problems;
}

function toTask(item: unknown): Task {
  const {
    name,
    description = '',
    files = [],
  } = item as { name: string; description?: string; files?: readonly string[] };
  return { name, description, files, slug: slugOf(name) };
}

/**
 * A name of letters, digits, `_`, `-` and `.` stays as it is; any other keeps what is safe of it and gets a
 * hash of the whole, so that `a/b` and `a b` stay two tasks, on every run the same.
 */
function slugOf(name: string): string {
  // A name that looks like one with a hash gets one itself, or it could be taken for another's.
  const looksHashed = /(?:^|-)[0-9a-f]{8}$/.test(name);
  if (!looksHashed && /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,59}$/.test(name)) return name;
  const safe = name
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  const hash = createHash('sha256').update(Buffer.from(name, 'utf16le')).digest('hex').slice(0, 8);
  return safe === '' ? hash : `${safe}-${hash}`;
}

/** What the `schema` gate asks beyond what every plan needs; `undefined`: nothing is missing. */
export function planGap(tasks: readonly Task[]): string | undefined {
  const silent = tasks.filter((task) => task.description.trim() === '').map((task) => task.name);
  if (silent.length > 0) return `These tasks have no description: ${silent.join(', ')}.`;
  const blank = tasks
    .filter((task) => task.files.some((file) => file.trim() === ''))
    .map((task) => task.name);
  return blank.length > 0 ? `These tasks have an empty entry in "files": ${blank.join(', ')}.` : undefined;
}
