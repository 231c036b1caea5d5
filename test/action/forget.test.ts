/** The documented job that deletes the sessions of a closed pull request. `gh` is a stand-in that sends the same requests. */
import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { readText } from '../meta/project-files.js';
import { createArtifactShelf } from '../rig/artifacts/artifact-shelf.js';
import { startGitHub } from '../rig/github/server.js';
import { makeRepository } from '../rig/repository.js';

/** `gh api [--paginate] [--method METHOD] PATH [--jq FILTER]`, with the real jq. */
const gh = `#!${process.execPath}
const { execFileSync } = require('node:child_process');
const args = process.argv.slice(2);
const optionOf = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const method = optionOf('--method') ?? 'GET';
const path = args.find((one) => one.startsWith('repos/'));
(async () => {
  let url = process.env.API_URL + '/' + path;
  while (url) {
    const answer = await fetch(url, { method, headers: { authorization: 'Bearer ' + process.env.GH_TOKEN } });
    if (!answer.ok) throw new Error(method + ' ' + url + ': ' + answer.status);
    const filter = optionOf('--jq');
    if (filter) process.stdout.write(execFileSync('jq', ['-r', filter], { input: await answer.text() }));
    url = args.includes('--paginate') ? /<([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1] : undefined;
  }
  // Without waiting for connections that are kept open.
  process.exit();
})();
`;

function jobOfDocs() {
  const example = /```yaml\n(# \.github\/workflows\/forget\.yml\n[\s\S]*?)```/.exec(
    readText('docs/pull-requests.md'),
  );
  return parse(example?.[1] ?? '').jobs.forget;
}

function hasJq(): boolean {
  try {
    execFileSync('jq', ['--version']);
    return true;
  } catch {
    return false;
  }
}

it.skipIf(!hasJq())(
  'deletes the sessions of this pull request, on every page, and nothing else',
  async () => {
    const git = await makeRepository({ 'README.md': 'sample\n' });
    cleanUpAfterTest(() => git.remove());
    const shelf = createArtifactShelf();
    const github = await startGitHub({ git, shelf });
    const kept = [
      'gump-sessions-pr-71-abc',
      'gump-sessions-issue-7-abc',
      'coverage',
      'gump-v2-abc-1001-a1-s000001-',
    ];
    for (const name of kept) shelf.add({ runId: 1, name, body: Buffer.from('x') });
    const others = Array.from({ length: 150 }, (_, run) => `coverage-${run}`);
    const sessions = ['abc', 'abc~2', 'def', 'abc-in-use'].map((name) => `gump-sessions-pr-7-${name}`);
    for (const name of [...sessions.slice(2), ...others, ...sessions.slice(0, 2)])
      shelf.add({ runId: 1, name, body: Buffer.from('x') });
    const folder = await mkdtemp(join(tmpdir(), 'gump-forget-'));
    cleanUpAfterTest(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'gh'), gh);
    await chmod(join(folder, 'gh'), 0o755);
    const { env, steps, permissions } = jobOfDocs();
    expect(permissions).toEqual({ actions: 'write' });
    await promisify(execFile)('bash', ['-eo', 'pipefail', '-c', steps[0].run], {
      env: {
        PATH: [folder, dirname(process.execPath), process.env.PATH].join(':'),
        API_URL: github.url,
        GITHUB_REPOSITORY: 'octo/sample',
        GH_TOKEN: 'ghs_x',
        PREFIX: env.PREFIX.replace(/\$\{\{ github\.event\.number \}\}/, '7'),
      },
    });
    expect(shelf.artifacts.map(({ name }) => name)).toEqual([...kept, ...others]);
  },
);
