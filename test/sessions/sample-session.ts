/** Sample providers that store sessions in the ways of the real CLIs: files by directory, files by date, and commands. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionCommands, SessionFiles } from '../../src/providers/provider.js';
import type { SessionLocation } from '../../src/sessions/session-store.js';

const slugOf = (directory: string) => directory.replace(/[^A-Za-z0-9]/g, '-');

/** One main file per working directory, and the files of sub-agents in a folder next to it. */
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

export function providerOf(
  sessionFiles: SessionFiles,
  sessionCommands?: SessionCommands,
): SessionLocation['provider'] {
  return {
    id: 'sample',
    title: 'Sample',
    isSessionId: (text: string) => /^[0-9a-f-]{36}$/.test(text),
    environment: {
      variables: ['SAMPLE_*'],
      gateways: [],
      credentials: [{ variable: 'SAMPLE_KEY', isStatic: true }],
      logins: [],
    },
    sessionFiles,
    ...(sessionCommands === undefined ? {} : { sessionCommands }),
  };
}

/** The first line of an export is the session id. */
export const sampleCommands: SessionCommands = {
  emptyExport: (session) => `${session}\n`,
  export: (session) => ({ file: 'sample', args: ['export', session], env: { QUIET: '1' } }),
  import: (file) => ({ file: 'sample', args: ['import', file], env: {} }),
  remove: (session) => ({ file: 'sample', args: ['remove', session], env: {} }),
  isExport: (text, session) => text.startsWith(`${session}\n`),
};

/** Like OpenCode, an import adds a session but never replaces one. Each call stores its environment in HOME. */
const program = `#!/bin/sh
env > "$HOME/environment"
mkdir -p "$HOME/database"
case $1 in
  export) echo "exporting" >&2; cat "$HOME/database/$2" ;;
  import) name=$(head -n 1 "$2"); [ -e "$HOME/database/$name" ] || cp "$2" "$HOME/database/$name" ;;
  remove) rm "$HOME/database/$2" ;;
esac
`;

/** Installs the program of `sampleCommands` and returns its folder, for PATH. */
export function installSampleProgram(folder: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'sample'), program);
  chmodSync(join(folder, 'sample'), 0o755);
  return folder;
}
