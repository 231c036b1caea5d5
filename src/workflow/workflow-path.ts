/** The path of a workflow, from the name or path in a workflow file or an input. Does not read any file. */

export interface WorkflowPath {
  /** From the working directory, with `/` as separator. */
  readonly path: string;
  /** The name of the built-in workflow to try next. Absent: the value is a path. */
  readonly builtInName?: string;
}

/**
 * A value that ends in `.yaml` or `.yml` is a path. Any other value is a name, which may contain folders: `team/tdd`
 * is `.gump/workflows/team/tdd.yaml`, and `validators/x` is `.gump/validators/x.yaml`. `problem` is a sentence, and
 * the subject of its first clause is the value.
 */
export function parseWorkflowPath(value: string): WorkflowPath | { readonly problem: string } {
  const text = value.trim();
  const problem = pathProblem(text);
  if (problem !== undefined) return { problem };
  const path = text
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');
  if (/\.ya?ml$/.test(path)) return { path };
  const folder = path.startsWith('validators/') ? '.gump' : '.gump/workflows';
  return { path: `${folder}/${path}.yaml`, builtInName: path };
}

const allowed =
  'Give a path in the repository that ends in `.yaml` or `.yml`, the NAME of `.gump/workflows/NAME.yaml`, or a built-in.';

function pathProblem(text: string): string | undefined {
  if (text === '') return `it is empty. ${allowed}`;
  if (/\p{Cc}/u.test(text)) return `it contains a line break or another control character. ${allowed}`;
  if (text.includes('\\')) return 'it contains `\\`. Separate folders with `/`.';
  if (text.startsWith('/') || text.startsWith('~')) return `it is not a path in the repository. ${allowed}`;
  const segments = text.split('/');
  if (segments.includes('..'))
    return `\`..\` is not allowed, because it could lead out of the repository. ${allowed}`;
  return /(^|\/)\.?\/?$/.test(text) ? `it names a folder, not a workflow. ${allowed}` : undefined;
}
