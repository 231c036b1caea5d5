/** Where the workflow that the input `workflow` asks for may lie. Looks at no disk: that is for the caller. */
import { excerpt } from './source-line.js';

/** Paths from the working directory with `/`, the first that exists counts; or why the value cannot be used. */
export type WorkflowCandidates = { readonly paths: readonly string[] } | { readonly fault: string };

const folder = '.gump/workflows';

/**
 * A value that ends in `.yaml` or `.yml` is a path; any other is a name, which may lie in folders:
 * `team/tdd` is `.gump/workflows/team/tdd.yaml`.
 */
export function workflowCandidates(value: string): WorkflowCandidates {
  const text = value.trim();
  const wrong = whatIsWrong(text);
  if (wrong !== undefined) return { fault: `Input \`workflow\` is "${excerpt(text)}": ${wrong}` };
  const segments = text.split('/').filter((segment) => segment !== '' && segment !== '.');
  const path = segments.join('/');
  return { paths: [/\.ya?ml$/.test(path) ? path : `${folder}/${path}.yaml`] };
}

const allowed =
  'Give a path in the repository that ends in `.yaml` or `.yml`, or the NAME of `.gump/workflows/NAME.yaml`.';

function whatIsWrong(text: string): string | undefined {
  if (text === '') return `it is empty. ${allowed}`;
  if (/\p{Cc}/u.test(text)) return `it holds a line break or another control character. ${allowed}`;
  if (text.includes('\\')) return 'folders are parted by `/`, not by `\\`.';
  if (text.startsWith('/') || text.startsWith('~')) return `it must lie in the repository. ${allowed}`;
  const segments = text.split('/');
  if (segments.includes('..'))
    return `\`..\` is not allowed, it could lead out of the repository. ${allowed}`;
  return /(^|\/)\.?\/?$/.test(text) ? `it names a folder, not a workflow. ${allowed}` : undefined;
}
