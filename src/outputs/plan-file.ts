/** The plan that the planner of a split writes (`.gump/out/plan.json`), and the path names of its tasks. Pure. */
import { createHash } from 'node:crypto';
import { parseAnswer, quoteFirstLine } from './json-answer.js';

export interface Task {
  readonly name: string;
  readonly description: string;
  /** Globs or paths of the files that the task should change. */
  readonly files: readonly string[];
  /** The name of the task in step paths: safe in file names, and different for each task of a plan. */
  readonly slug: string;
}

/** The tasks of a plan, or a text that describes the problem. */
export function readPlan(text: string | undefined): readonly Task[] | string {
  if (text === undefined) return 'The agent did not write `.gump/out/plan.json`.';
  const value = parseAnswer(text, 'array');
  if (!Array.isArray(value))
    return `\`.gump/out/plan.json\` is not a JSON array of tasks. ${quoteFirstLine(text)}`;
  const problems = value.flatMap((item, index) => taskProblems(item, index));
  if (problems.length > 0) return `\`.gump/out/plan.json\`: ${problems.join('; ')}.`;
  const tasks = value.map(toTask);
  const names = tasks.map((task) => task.name);
  const duplicateName = names.find((name, index) => names.indexOf(name) !== index);
  if (duplicateName !== undefined)
    return `\`.gump/out/plan.json\` has two tasks with the name "${duplicateName}". Give each task its own name.`;
  const slugs = tasks.map((task) => task.slug);
  const shared = slugs.find((slug, index) => slugs.indexOf(slug) !== index);
  return shared === undefined
    ? tasks
    : `\`.gump/out/plan.json\` has two tasks whose names both become "${shared}" in paths. Give the tasks other names.`;
}

function taskProblems(item: unknown, index: number): readonly string[] {
  const label = `task ${index + 1}`;
  if (typeof item !== 'object' || item === null) return [`${label} is not an object`];
  const { name, description, files } = item as Readonly<Record<string, unknown>>;
  const problems = [];
  if (typeof name !== 'string' || name.trim() === '') problems.push(`${label} has no "name"`);
  if (description !== undefined && typeof description !== 'string')
    problems.push(`"description" of ${label} is not a string`);
  const isList = Array.isArray(files) && files.every((file) => typeof file === 'string');
  if (files !== undefined && !isList) problems.push(`"files" of ${label} is not a list of strings`);
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
 * A name of letters, digits, `_`, `-` and `.` does not change. Any other name keeps its safe characters and gets
 * a hash of the whole name, so that `a/b` and `a b` remain two tasks and have the same slugs in every run.
 */
function slugOf(name: string): string {
  // A name that already ends like a hash gets a hash too: otherwise it could equal the slug of another task.
  const looksHashed = /(?:^|-)[0-9a-f]{8}$/.test(name);
  if (!looksHashed && /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,59}$/.test(name)) return name;
  const safe = name
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  const hash = createHash('sha256').update(Buffer.from(name, 'utf16le')).digest('hex').slice(0, 8);
  return safe === '' ? hash : `${safe}-${hash}`;
}

/** What the `schema` gate requires in addition to the rules for every plan; `undefined` if nothing is missing. */
export function planGap(tasks: readonly Task[]): string | undefined {
  const undescribed = tasks.filter((task) => task.description.trim() === '').map((task) => task.name);
  if (undescribed.length > 0) return `These tasks have no description: ${undescribed.join(', ')}.`;
  const blank = tasks
    .filter((task) => task.files.some((file) => file.trim() === ''))
    .map((task) => task.name);
  return blank.length > 0 ? `These tasks have an empty entry in "files": ${blank.join(', ')}.` : undefined;
}
