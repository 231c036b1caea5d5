/** Template names that stand for the event of the run, and the variables in which commands get them. Pure data. */

const fields = {
  pr: ['number', 'title', 'body', 'author', 'base', 'head', 'url', 'diff', 'files', 'comments', 'reviews'],
  issue: ['number', 'title', 'body', 'author', 'url', 'comments', 'labels'],
  comment: ['body', 'author', 'path', 'line', 'diff_hunk'],
  run: ['url', 'attempt'],
} as const;

/** What an event is about: the part of its names before the dot. */
export type EventNamespace = keyof typeof fields;

export const eventNamespaces = Object.keys(fields) as readonly EventNamespace[];

/** `pr.number`, `pr.title`, … */
export const eventNames: readonly string[] = eventNamespaces.flatMap((namespace) =>
  fields[namespace].map((field) => `${namespace}.${field}`),
);

const known: ReadonlySet<string> = new Set(eventNames);

export function isEventName(name: string): boolean {
  return known.has(name);
}

/** The namespace of a name, also of one that has no such field. */
export function eventNamespaceOf(name: string): EventNamespace | undefined {
  const [first] = name.split('.', 1);
  return eventNamespaces.find((namespace) => namespace === first);
}

/** The variable in which commands get the value: `GUMP_PR_NUMBER`. */
export function eventVariable(name: string): string {
  return `GUMP_${name.replaceAll('.', '_').toUpperCase()}`;
}

/** The names whose variables the text of a command contains. */
export function eventNamesInCommand(command: string): readonly string[] {
  const words = new Set(command.match(/\bGUMP_[A-Z_]+\b/g) ?? []);
  return words.size === 0 ? [] : eventNames.filter((name) => words.has(eventVariable(name)));
}
