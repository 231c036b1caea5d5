/** The loopback GitHub server with these runs, and a `RunSource` that asks it. */
import { openGitHubApi } from '../../src/github/github-api.js';
import { createGitHubRuns } from '../../src/resume-runs/github-runs.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { startGitHub } from '../rig/github/server.js';
import type { StoredRun } from '../rig/github/state.js';
import { makeRepository } from '../rig/repository.js';

export async function openGitHub(runs: readonly StoredRun[]) {
  const git = await makeRepository({ 'README.md': 'sample\n' });
  cleanUpAfterTest(() => git.remove());
  const server = await startGitHub({ git });
  server.state.runs.push(...runs);
  const api = await openGitHubApi({ repository: 'octo/sample', token: 't', apiUrl: server.url });
  return { server, source: createGitHubRuns(api) };
}
