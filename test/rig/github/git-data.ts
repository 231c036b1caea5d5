/**
 * The Git Data API on the objects of the bare repository: blobs, trees, commits and branches. `commits.ts` reads single commits and branches. Refusals
 * have the texts that GitHub sends.
 */
import { isUtf8 } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { type Answer, denied, notFound, ok, problem } from './reply.js';
import type { Route, RouteCall } from './router.js';
import type { GitHubState } from './state.js';

/** Now, because a job that runs in this process changes the variable. */
const programs = process.env.PATH ?? '/usr/bin:/bin';

const repo = '/repos/:owner/:repo';

export function gitDataRoutes(state: GitHubState): readonly Route[] {
  const writing =
    (handle: (call: RouteCall) => Answer | Promise<Answer>) =>
    (call: RouteCall): Answer | Promise<Answer> =>
      state.missingPermissions.has('contents: write') ? denied : handle(call);
  const objects = openObjects(state.git.path);
  return [
    { method: 'POST', path: `${repo}/git/refs`, handle: writing(({ body }) => createRef(state, body)) },
    {
      method: 'PATCH',
      path: `${repo}/git/refs/*ref`,
      handle: writing(({ params, body }) => moveRef(state, `refs/${params.ref}`, body)),
    },
    {
      method: 'POST',
      path: `${repo}/git/commits`,
      handle: writing(({ body }) => createCommit(state, objects, body)),
    },
    {
      method: 'GET',
      path: `${repo}/git/trees/:sha`,
      handle: ({ params }) => ok({ sha: params.sha, truncated: false, tree: objects.list(params.sha ?? '') }),
    },
    {
      method: 'POST',
      path: `${repo}/git/trees`,
      handle: writing(({ body }) => createTree(state, objects, body)),
    },
    {
      method: 'GET',
      path: `${repo}/git/blobs/:sha`,
      handle({ params }) {
        const content = objects.read(params.sha ?? '');
        return ok({ sha: params.sha, encoding: 'base64', content: wrapped(content.toString('base64')) });
      },
    },
    {
      method: 'POST',
      path: `${repo}/git/blobs`,
      handle: writing(({ body }) => {
        const { content = '', encoding = 'utf-8' } = body as { content?: string; encoding?: BufferEncoding };
        return ok({ sha: objects.writeBlob(Buffer.from(content, encoding)) }, 201);
      }),
    },
    {
      method: 'GET',
      path: `${repo}/commits`,
      isList: true,
      handle: ({ query }) => listCommits(state, query),
    },
  ];
}

/** Lines of 60 characters, as GitHub sends them. */
function wrapped(base64: string): string {
  return base64.replace(/.{1,60}/g, '$&\n');
}

async function resolve(state: GitHubState, name: string): Promise<string | undefined> {
  // Without the type, git accepts every id.
  const object = name.includes('^') ? name : `${name}^{commit}`;
  return state.git.git('rev-parse', '--verify', '--quiet', object).catch(() => undefined);
}

function refBody(ref: string, sha: string): object {
  return { ref, object: { type: 'commit', sha } };
}

async function createRef(state: GitHubState, body: RouteCall['body']): Promise<Answer> {
  const { ref, sha } = body as { ref: string; sha: string };
  if ((await resolve(state, ref)) !== undefined) return problem(422, 'Reference already exists');
  const refusal = refusalOf(state, ref) ?? (await workflowRefusal(state, sha));
  if (refusal !== undefined) return refusal;
  await state.git.git('update-ref', ref, sha);
  return ok(refBody(ref, sha), 201);
}

async function moveRef(state: GitHubState, ref: string, body: RouteCall['body']): Promise<Answer> {
  const { sha, force = false } = body as { sha: string; force?: boolean };
  const now = await resolve(state, ref);
  if (now === undefined) return problem(422, 'Reference does not exist');
  const isForward = await state.git.git('merge-base', '--is-ancestor', now, sha).then(
    () => true,
    () => false,
  );
  if (!isForward && !force) return problem(422, 'Update is not a fast forward');
  const refusal = refusalOf(state, ref);
  if (refusal !== undefined) return refusal;
  await state.git.git('update-ref', ref, sha, now);
  return ok(refBody(ref, sha));
}

function refusalOf(state: GitHubState, ref: string): Answer | undefined {
  const why = state.protectedBranches.get(ref.replace('refs/heads/', ''));
  return why === undefined ? undefined : problem(422, why);
}

/** A job token may not bring workflow files to a new branch either, if no other branch has them. */
async function workflowRefusal(state: GitHubState, sha: string): Promise<Answer | undefined> {
  if (!state.missingPermissions.has('workflows: write')) return undefined;
  const changed = await state.git.git('diff', '--name-only', `${sha}^`, sha, '--', '.github/workflows');
  return changed === '' ? undefined : denied;
}

/** Without an author, GitHub takes the user of the token and signs the commit. */
function createCommit(state: GitHubState, objects: Objects, body: RouteCall['body']): Answer {
  const { tree, parents, message, author } = body as {
    tree: string;
    parents: readonly string[];
    message: string;
    author?: unknown;
  };
  if (author !== undefined) return problem(422, 'the test server signs only commits without an author');
  const who = `github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com> ${Math.floor(Date.parse(state.now()) / 1000)} +0000`;
  const lines = [
    `tree ${tree}`,
    ...parents.map((one) => `parent ${one}`),
    `author ${who}`,
    `committer ${who}`,
    'gpgsig signed by GitHub',
    '',
    message,
  ];
  return ok({ sha: objects.write('commit', Buffer.from(lines.join('\n'))) }, 201);
}

interface TreeItem {
  readonly path: string;
  readonly mode?: string;
  readonly sha?: string | null;
  readonly content?: string;
}

function createTree(state: GitHubState, objects: Objects, body: RouteCall['body']): Answer {
  const { base_tree: base, tree } = body as { base_tree?: string; tree: readonly TreeItem[] };
  if (tree.length === 0) return problem(422, 'Invalid tree info');
  const forbidsWorkflows = state.missingPermissions.has('workflows: write');
  if (forbidsWorkflows && tree.some(({ path }) => path.startsWith('.github/workflows/'))) return denied;
  const files = objects.files(base);
  for (const { path, mode = '100644', sha, content } of tree) {
    if (sha === null && !files.has(path)) return problem(422, 'GitRPC::BadObjectState');
    if (sha === null) files.delete(path);
    else if (content !== undefined && !isUtf8(Buffer.from(content)))
      return problem(422, 'tree.content is not UTF-8');
    else
      files.set(path, {
        mode,
        sha: content === undefined ? (sha ?? '') : objects.writeBlob(Buffer.from(content)),
      });
  }
  return ok({ sha: objects.writeTree(files) }, 201);
}

async function listCommits(state: GitHubState, query: URLSearchParams): Promise<Answer> {
  const sha = query.get('sha') ?? 'HEAD';
  if ((await resolve(state, sha)) === undefined) return notFound;
  return ok(await commitsIn(state, sha));
}

/** The newest commits of a range, as lists of the REST API have them. */
export async function commitsIn(state: GitHubState, ...range: readonly string[]): Promise<readonly object[]> {
  const text = await state.git.git('log', '-z', '--format=%H%n%B', '--max-count=250', ...range, '--');
  return text
    .split('\0')
    .filter((record) => record !== '')
    .map((record) => ({
      sha: record.slice(0, record.indexOf('\n')),
      commit: { message: record.slice(record.indexOf('\n') + 1).trimEnd() },
    }));
}

/** How many commits each of two commits has that the other one has not, and those of the second one. */
export async function comparisonOf(state: GitHubState, from: string, to: string): Promise<object> {
  const counts = await state.git.git('rev-list', '--left-right', '--count', `${from}...${to}`);
  const [behind = 0, ahead = 0] = counts.split('\t').map(Number);
  const status = ahead > 0 ? (behind > 0 ? 'diverged' : 'ahead') : behind > 0 ? 'behind' : 'identical';
  const commits = ahead === 0 ? [] : await commitsIn(state, `${from}..${to}`);
  return { status, ahead_by: ahead, behind_by: behind, total_commits: ahead, commits };
}

interface TreeFile {
  readonly mode: string;
  readonly sha: string;
}

interface Objects {
  read(sha: string): Buffer;
  write(type: string, content: Buffer): string;
  writeBlob(content: Buffer): string;
  /** The entries of one directory. */
  list(tree: string): readonly object[];
  /** Every file of a tree, or none. */
  files(tree: string | undefined): Map<string, TreeFile>;
  writeTree(files: ReadonlyMap<string, TreeFile>): string;
}

function openObjects(path: string): Objects {
  const index = `${path}/rig-index`;
  const run = (args: readonly string[], input?: Buffer, env: Readonly<Record<string, string>> = {}) =>
    execFileSync('git', ['-C', path, ...args], {
      ...(input === undefined ? {} : { input }),
      env: { PATH: programs, GIT_CONFIG_NOSYSTEM: '1', HOME: path, ...env },
      maxBuffer: 256 * 1024 * 1024,
    });
  const records = (args: readonly string[]) =>
    run(args)
      .toString()
      .split('\0')
      .filter((record) => record !== '')
      .map((record) => {
        const [head = '', name = ''] = record.split('\t');
        const [mode = '', type = '', sha = ''] = head.split(' ');
        return { path: name, mode, type, sha };
      });
  const write = (type: string, content: Buffer) =>
    run(['hash-object', '-t', type, '-w', '--stdin', '--literally'], content).toString().trim();
  return {
    read: (sha) => run(['cat-file', 'blob', sha]),
    write,
    writeBlob: (content) => write('blob', content),
    list: (tree) => records(['ls-tree', '-z', tree]),
    files: (tree) =>
      new Map(
        tree === undefined
          ? []
          : records(['ls-tree', '-r', '-z', tree]).map(({ path: name, mode, sha }) => [name, { mode, sha }]),
      ),
    writeTree(files) {
      const env = { GIT_INDEX_FILE: index };
      run(['read-tree', '--empty'], undefined, env);
      const lines = [...files].map(([name, { mode, sha }]) => `${mode} ${sha}\t${name}\0`);
      run(['update-index', '-z', '--index-info'], Buffer.from(lines.join('')), env);
      return run(['write-tree'], undefined, env).toString().trim();
    },
  };
}
