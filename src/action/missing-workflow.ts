/** Why the workflow of the input was not found, and which one was probably meant. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { excerpt } from '../workflow/source-line.js';
import { closest } from '../workflow/suggest.js';

export interface MissingWorkflow {
  /** The input `workflow`. */
  readonly name: string;
  /** The working directory. */
  readonly directory: string;
  /** The checkout, which contains it. */
  readonly workspace: string;
  readonly searched: readonly string[];
  /** Names of the built-in workflows. */
  readonly builtIns: readonly string[];
}

const folder = '.gump/workflows';
const githubFolder = '.github/workflows';
const maxListed = 10;

export function missingWorkflowText({
  name,
  directory,
  workspace,
  searched,
  builtIns,
}: MissingWorkflow): string {
  const wanted = name.trim();
  const present = workflowFiles(join(directory, folder));
  const start = `Input \`workflow\`: workflow \`${excerpt(wanted)}\` not found.`;
  const place = `Searched: ${searched.join(', ')} (in ${directory}).`;
  const meant = meantWorkflow(wanted, present, builtIns);
  if (meant !== undefined) return `${start} Did you mean \`${meant}\`? ${place}`;
  if (present.length > 0) return `${start} ${place} ${listText(present)} Check the name.`;
  return `${start} ${place} ${absenceText(wanted, directory, workspace)}`;
}

/** The value of the input that names the workflow that was probably meant. */
function meantWorkflow(
  wanted: string,
  present: readonly string[],
  builtIns: readonly string[],
): string | undefined {
  const plain = nameOf(wanted);
  // The same name with another ending, folder or case.
  const same = present.find((file) => nameOf(file).toLowerCase() === plain.toLowerCase());
  const inFolder = present.filter((file) => nameOf(file).split('/').at(-1) === plain);
  const [only, ...others] = same === undefined ? inFolder : [same];
  if (only !== undefined && others.length === 0) return valueFor(only);
  const near = closest(plain, [...present.map(nameOf), ...builtIns]);
  if (near === undefined) return undefined;
  const file = present.find((one) => nameOf(one) === near);
  return file === undefined ? near : valueFor(file);
}

/** Without the folder of workflows and the ending. */
function nameOf(path: string): string {
  return path.replace(/^(?:\.\/)?(?:\.gump\/)?(?:workflows\/)?/, '').replace(/\.ya?ml$/i, '');
}

/** A name means a file that ends in `.yaml`; any other needs its path. */
function valueFor(file: string): string {
  return file.endsWith('.yaml') ? file.slice(0, -'.yaml'.length) : `${folder}/${file}`;
}

function listText(present: readonly string[]): string {
  const shown = present.slice(0, maxListed).map((file) => `\`${valueFor(file)}\``);
  const more = present.length > maxListed ? ` and ${present.length - maxListed} more` : '';
  return `\`${folder}\` has: ${shown.join(', ')}${more}.`;
}

function absenceText(wanted: string, directory: string, workspace: string): string {
  const git = gitDirectory(directory, workspace);
  if (git === undefined)
    return `\`${directory}\` has no checkout. Run \`actions/checkout\` before this step.`;
  if (!existsSync(join(directory, '.gump')) && isSparse(git))
    return 'The checkout is sparse and has no `.gump`. Add `.gump` to `sparse-checkout` of `actions/checkout`.';
  const github = [`${wanted}.yml`, `${wanted}.yaml`].find((file) =>
    existsSync(join(dirname(git), githubFolder, file)),
  );
  if (github !== undefined)
    return `\`${githubFolder}/${github}\` is a GitHub Actions workflow. This input names a Gump workflow: create one in \`${folder}\`, or name a built-in.`;
  return `\`${folder}\` has no workflow. Check the name, the input \`working-directory\`, and the \`ref\` of \`actions/checkout\`.`;
}

/** Whether a text is a workflow of GitHub Actions: it has jobs, and no steps of its own. */
export function isGithubWorkflow(text: string): boolean {
  return /^(?:on|"on"|'on'):/m.test(text) && /^jobs:/m.test(text) && !/^steps:/m.test(text);
}

/** The paths below the folder, at most a few levels deep. */
function workflowFiles(directory: string, prefix = '', depth = 3): readonly string[] {
  const entries = readEntries(directory);
  return entries.flatMap((entry) => {
    const path = `${prefix}${entry.name}`;
    if (entry.isDirectory() && depth > 0)
      return workflowFiles(join(directory, entry.name), `${path}/`, depth - 1);
    return /\.ya?ml$/i.test(entry.name) ? [path] : [];
  });
}

function readEntries(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

/** Of the repository that contains the directory, in the workspace. */
function gitDirectory(directory: string, workspace: string): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const git = join(at, '.git');
    if (existsSync(git)) return git;
    if (at === workspace || dirname(at) === at) return undefined;
  }
}

/** `git sparse-checkout` stores the setting in either file (git-sparse-checkout(1), git 2.51). */
function isSparse(git: string): boolean {
  return ['config', 'config.worktree'].some((file) => {
    try {
      return /^\s*sparsecheckout\s*=\s*true/im.test(readFileSync(join(git, file), 'utf8'));
    } catch {
      return false;
    }
  });
}
