/** A CLI's way of keeping sessions, in the shape of the real ones: by working directory, by date, with a note of the directory. */
import type { SessionFiles } from '../../src/providers/provider.js';

const slugOf = (directory: string) => directory.replace(/[^A-Za-z0-9]/g, '-');

/** One main file by working directory, and what its sub-agents say in a folder beside it. */
export const byDirectory: SessionFiles = {
  home: { variable: 'SAMPLE_HOME', folder: '.sample' },
  patterns: (id, directory) => [
    `projects/${slugOf(directory)}/${id}.jsonl`,
    `projects/${slugOf(directory)}/${id}/**/*.jsonl`,
  ],
  restorePath: (file, id, directory) => {
    const rest = file.split('/').slice(2).join('/');
    return `projects/${slugOf(directory)}/${rest.startsWith(id) ? rest : `${id}.jsonl`}`;
  },
  readUsage: (content) => ({ costUsd: content.toString().split('\n').length - 1 }),
};

/** One file by date, wherever the agent runs. */
export const byDate: SessionFiles = {
  home: { folder: '.dated' },
  patterns: (id) => [`sessions/**/rollout-*-${id}.jsonl`],
  restorePath: (file) => file,
};

/** Like `byDirectory`, with the directory in the first line. */
export const withDirectoryLine: SessionFiles = {
  ...byDirectory,
  rewrite: (content, directory) =>
    Buffer.from(content.toString().replace(/"cwd":"[^"]*"/, `"cwd":${JSON.stringify(directory)}`)),
};

export const id = '0b5f2c1e-1111-4222-8333-444455556666';

export function providerOf(sessionFiles: SessionFiles) {
  return { title: 'Sample', isSessionId: (text: string) => /^[0-9a-f-]{36}$/.test(text), sessionFiles };
}
