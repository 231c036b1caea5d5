/**
 * The names of all points at which the crash tests can kill the action (`watch-writes.cjs`). A write of `dist/` that
 * has none of these names fails the tests: add it here, and it is killed there from then on.
 */

/** Where else than in its own files `dist/` writes, and what it sends. */
const writes = [
  'start environment: writeFile',
  'start environment: rm',
  'main process: writeFile',
  'variables of main: writeFile',
  'disk reserve: writeFile',
  'disk reserve: rm',
  'runner files: writeFile',
  'runner files: rename',
  'runner files: rm',
  'private git: writeFile',
  'private git: rename',
  'private git: copyFile',
  'private git: rm',
  'user git: writeFile',
  'user git: copyFile',
  'user git: rm',
  'user git: rename',
  'workspace: rm',
  'agent directories: writeFile',
  'agent directories: rm',
  'agent directories: rename',
  'session copies: writeFile',
  'session copies: rm',
  'home: open',
  'home: rm',
  'local checkpoint: writeFile',
  'result: writeFile',
  'result files: writeFile',
] as const;

/** The phases of a checkpoint, from its number to the look-up after it was stored. */
const checkpointPhases = [
  'post state: usedSequence',
  'cache file: symlink',
  'cache file: writeFile',
  'cache file: rename',
  'cache file: rm',
  'cache client: tar',
  'request: GetCacheEntryDownloadURL',
  'answer: GetCacheEntryDownloadURL',
  'request: CreateCacheEntry',
  'answer: CreateCacheEntry',
  'request: PUT blob',
  'answer: PUT blob',
  'request: FinalizeCacheEntryUpload',
  'answer: FinalizeCacheEntryUpload',
  'post state: restored, storedBytes, storedEvents',
] as const;

/** The same with artifacts. */
const artifactPhases = [
  'artifact file: writeFile',
  'artifact file: rm',
  'request: ListArtifacts',
  'answer: ListArtifacts',
  'request: CreateArtifact',
  'answer: CreateArtifact',
  'request: FinalizeArtifact',
  'answer: FinalizeArtifact',
  'request: DeleteArtifact',
  'answer: DeleteArtifact',
] as const;

/** What GitHub's API is asked, for sessions of earlier runs and to publish. */
const githubRequests = [
  'GET actions/artifacts',
  'GET actions/artifacts/N/zip',
  'GET artifact-bodies/N',
  'GET commits',
  'GET git/commits/N',
  'GET git/ref/N',
  'GET issues/N/comments',
  'PATCH git/refs/N',
  'POST git/blobs',
  'POST git/commits',
  'POST git/trees',
  'POST graphql',
  'POST issues/N/comments',
].flatMap((route) => [`GitHub request: ${route}`, `GitHub answer: ${route}`]);

/** Further lines for `post`. */
const postStateLines = [
  'post state: first line',
  'post state: isBegun',
  'post state: placed',
  'post state: agentPids',
  'post state: copies',
  'post state: subjectEntry',
  'post state: stepDiffs',
  'post state: kept',
  'post state: isDone, storedEvents',
] as const;

export const otherPoints: readonly string[] = [
  ...writes,
  ...checkpointPhases,
  ...artifactPhases,
  ...githubRequests,
  ...postStateLines,
];

/** Events that no first job of a scene writes. */
export const unreachedEvents: Readonly<Record<string, string>> = {
  'steps-dropped': 'only a re-run writes it, before its first agent',
  'step-redefined': 'only a re-run with a changed workflow writes it',
  'attempt-approved': 'only a job with the input `approve` writes it',
  'job-ended': '`post` adds it to the checkpoint, not to the journal',
};
