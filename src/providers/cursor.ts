/**
 * Cursor's CLI. NOT TESTED: it is not on npm and was unavailable, so this follows its documentation of 2026.03.20
 * only. `sessionFiles` has everything about where it stores its chats.
 */
import { createHash } from 'node:crypto';
import { createCursorReader, installHint } from './cursor-reader.js';
import type {
  AgentCommand,
  HomeFile,
  Permission,
  ProjectFiles,
  Provider,
  ProviderEnvironment,
  SessionFiles,
  TurnRequest,
} from './provider.js';
import { isUuid } from './uuid.js';

/**
 * Its read-only modes would prevent the agent from writing a verdict. So a read-only step may write, and the
 * action checks the changes afterwards. `--trust` allows nothing more: without it the CLI does not start headless.
 */
const permissions: Readonly<Record<Permission, readonly string[]>> = {
  'read-only': ['--force', '--trust'],
  workspace: ['--force', '--trust'],
  full: ['--force', '--trust', '--sandbox', 'disabled'],
};

function command({ session, model, args = [], permission, directory, prompt }: TurnRequest): AgentCommand {
  return {
    file: cursor.executable,
    args: [
      ...['--print', ...args, '--output-format', 'stream-json'],
      ...permissions[permission],
      ...['--workspace', directory],
      ...(session.mode === 'resume' ? ['--resume', session.id] : []),
      ...(model === undefined ? [] : ['--model', model]),
    ],
    env: {},
    stdin: prompt,
  };
}

const environment: ProviderEnvironment = {
  variables: ['CURSOR_*'],
  gateways: [],
  credentials: [{ variable: 'CURSOR_API_KEY', isStatic: true }],
  logins: [{ file: '.cursor/cli-config.json', contains: 'authInfo' }, { file: '.config/cursor/auth.json' }],
};

/** There are reports of two places. The database of a chat is in a folder named after its working directory. */
const sessionFiles: SessionFiles = {
  home: { folder: '.' },
  isDatabase: true,
  patterns: (id) => ['.cursor', '.config/cursor'].map((folder) => `${folder}/chats/*/${id}/store.db{,-wal}`),
  restorePath: (file, _id, directory) => file.replace(/(\/chats\/)[^/]+/, `$1${cursorChatFolder(directory)}`),
};

/** MD5 of the working directory, as hexadecimal digits. */
function cursorChatFolder(directory: string): string {
  return createHash('md5').update(directory).digest('hex');
}

/** From its documentation. */
const projectFiles: ProjectFiles = {
  settings: ['.cursor', '.cursor-plugin', '.agents'],
  instructions: ['.cursorrules', 'AGENTS.md', 'CLAUDE.md', '.cursorignore'],
  above: ['.cursorrules', 'AGENTS.md'],
};

const ownHomeFiles: readonly HomeFile[] = [
  'mcp.json',
  'hooks.json',
  'hooks',
  'rules',
  'skills',
  'commands',
].map((path) => ({ path: `.cursor/${path}` }));

export const cursor: Provider = {
  id: 'cursor',
  title: 'Cursor',
  executable: 'cursor-agent',
  installHint,
  models: {
    sonnet: 'sonnet-4.6',
    'sonnet-thinking': 'sonnet-4.6-thinking',
    opus: 'opus-4.6',
    'opus-thinking': 'opus-4.6-thinking',
    gpt5: 'gpt-5',
    gemini: 'gemini-3.1-pro',
  },
  families: ['composer'],
  sessionIds: 'given',
  isSessionId: isUuid,
  environment,
  sessionFiles,
  projectFiles,
  homeFiles: ownHomeFiles,
  buildCommand: command,
  createReader: createCursorReader,
};
