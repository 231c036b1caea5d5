/** Where a workflow may lie, by the name or path that it is asked for. Looks at no disk: that is for the caller. */

export interface WorkflowPath {
  /** From the working directory, with `/`. */
  readonly path: string;
  /** What it may be called among the built-ins; absent where a path was given. */
  readonly builtInName?: string;
}

/**
 * A value that ends in `.yaml` or `.yml` is a path; any other is a name, which may lie in folders: `team/tdd`
 * is `.gump/workflows/team/tdd.yaml`, and `validators/x` is `.gump/validators/x.yaml`. A value that cannot be
 * used gives the end of a sentence that says why.
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
  if (/\p{Cc}/u.test(text)) return `it holds a line break or another control character. ${allowed}`;
  if (text.includes('\\')) return 'folders are parted by `/`, not by `\\`.';
  if (text.startsWith('/') || text.startsWith('~')) return `it must lie in the repository. ${allowed}`;
  const segments = text.split('/');
  if (segments.includes('..'))
    return `\`..\` is not allowed, it could lead out of the repository. ${allowed}`;
  return /(^|\/)\.?\/?$/.test(text) ? `it names a folder, not a workflow. ${allowed}` : undefined;
}
