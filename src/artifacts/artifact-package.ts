/** The artifact client in a file of its own in `dist/`: 2 MB, which a job reads only if it uses artifacts. */
export { DefaultArtifactClient } from '@actions/artifact';
