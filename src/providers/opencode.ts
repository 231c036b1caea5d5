/**
 * OpenCode: command line, environment, and the commands that export sessions from its database and import them.
 * Tested with 1.18.33. `opencode-reader.ts` reads its output.
 */

import { canonicalJson } from './canonical-json.js';
import { homeFiles } from './home-files.js';
import { asObject, parseLine } from './ndjson.js';
import { createOpencodeReader, installHint } from './opencode-reader.js';
import { serviceEnvironment, serviceNames, withheldEnvironment } from './opencode-services.js';
import type {
  AgentCommand,
  HomeFile,
  Pricing,
  ProjectFiles,
  Provider,
  SessionCommand,
  SessionCommands,
  SessionFiles,
  TurnRequest,
} from './provider.js';

const sessionId = /^ses_[0-9A-Za-z]{26}$/;

/** Nobody can answer a question of a tool, so it would wait without end. */
const unattendedPermissions = ['question', 'plan_enter', 'plan_exit'].map((permission) => ({
  permission,
  pattern: '*',
  action: 'deny',
}));

/**
 * The `plan` agent allows commands that write, and instructs the model not to write a verdict either. Rules are
 * better: they also apply to sub-agents. Patterns are relative to the root of the repository.
 */
const readOnlyPermissions = JSON.stringify({
  edit: { '*': 'deny', '.gump/out/*': 'allow', '*/.gump/out/*': 'allow' },
  bash: 'deny',
  external_directory: { '*': 'deny' },
});

const quietEnvironment = {
  OPENCODE_DISABLE_AUTOUPDATE: '1',
  OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
  OPENCODE_DISABLE_SHARE: '1',
};

function command(turn: TurnRequest): AgentCommand {
  const { session, model, permission } = turn;
  return {
    file: opencode.executable,
    args: [
      ...['run', ...(turn.args ?? []), '--format', 'json'],
      // A new session was imported before, with an id that the action chose: `run` accepts none for a new one.
      ...(session.id === undefined ? [] : ['--session', session.id]),
      ...(model === undefined ? [] : [`--model=${model}`]),
      // Without this flag its file tools cannot access files outside the working directory (1.18.33).
      ...(permission === 'full' ? ['--auto'] : []),
    ],
    env: {
      ...quietEnvironment,
      ...logEnvironment(turn.environment),
      ...(permission === 'read-only' ? { OPENCODE_PERMISSION: readOnlyPermissions } : {}),
      ...configEnvironment(turn.environment?.OPENCODE_CONFIG_CONTENT),
    },
    stdin: turn.prompt,
  };
}

/**
 * OpenCode refuses what is not allowed and what would need a confirmation. Without this setting the first refusal,
 * for example of reading a file outside the working directory, ends the run without a message.
 */
function configEnvironment(userConfig: string | undefined): Readonly<Record<string, string>> {
  const settings = userConfig === undefined ? {} : parseLine(userConfig);
  // A configuration with comments or errors stays unchanged.
  if (settings === undefined) return {};
  const experimental = { continue_loop_on_deny: true, ...asObject(settings.experimental) };
  return { OPENCODE_CONFIG_CONTENT: JSON.stringify({ ...settings, experimental }) };
}

/**
 * While OpenCode waits for a usage limit, only its log says so. Variables, because its flags for the log may be in
 * `agent-args`, and it refuses a repeated one (1.18.33).
 */
function logEnvironment({ OPENCODE_LOG_LEVEL }: Readonly<Record<string, string>> = {}) {
  return { OPENCODE_PRINT_LOGS: '1', OPENCODE_LOG_LEVEL: OPENCODE_LOG_LEVEL ?? 'ERROR' };
}

/** Neither plugins nor settings of the checkout may take effect while a session is stored or restored. */
const sessionCommand = (...args: readonly string[]): SessionCommand => ({
  file: opencode.executable,
  args: [...args, '--pure'],
  env: { ...quietEnvironment, OPENCODE_DISABLE_PROJECT_CONFIG: '1' },
});

const sessionCommands: SessionCommands = {
  emptyExport: (id, directory) =>
    JSON.stringify({
      info: {
        id,
        slug: 'gump',
        projectID: 'global',
        directory,
        // With a title, OpenCode does not ask a model for one.
        title: 'Gump',
        version: '1.18.33',
        permission: unattendedPermissions,
        time: { created: 1, updated: 1 },
      },
      messages: [],
    }),
  export: (id) => sessionCommand('export', id),
  import: (file) => sessionCommand('import', file),
  remove: (id) => sessionCommand('session', 'delete', id),
  isExport: (text, id) => {
    const session = parseLine(text);
    return asObject(session?.info)?.id === id && Array.isArray(session?.messages);
  },
};

const sessionFiles: SessionFiles = {
  // Only for its login files: the database next to them contains keys and sessions.
  home: { variable: 'XDG_DATA_HOME', folder: '.local/share' },
  patterns: () => [],
  restorePath: (file) => file,
};

/** OpenCode's names of services that have a different name in the table of prices. */
const priceNames: Readonly<Record<string, string>> = {
  'amazon-bedrock': 'aws',
  'fireworks-ai': 'fireworks',
  togetherai: 'together',
  xai: 'x-ai',
};

/** OpenCode reports the cost of models for which it has prices. */
const pricing: Pricing = {
  priceReference: (name) => {
    const end = name.indexOf('/');
    if (end < 0) return undefined;
    const service = name.slice(0, end);
    const known = Object.hasOwn(priceNames, service) ? priceNames[service] : service;
    return { service: known ?? service, model: name.slice(end + 1) };
  },
  inputIncludesCache: false,
};

/**
 * It adds its schema to a configuration without one, as text after the first brace, and creates the user's file with it.
 */
const withoutSchema = (text: string): string =>
  canonicalJson(text.replace(/\s*"\$schema"\s*:\s*"[^"]*",?/, ''), (settings) => settings);

/** Folders with code and definitions, in each of its configuration folders. */
const configFolders = ['plugin', 'tool', 'agent', 'command', 'skill', 'mode'].flatMap((name) => [
  name,
  `${name}s`,
]);

/** Found by tracing the file accesses of 1.18.33: from the root of the repository to the working directory. */
const projectFiles: ProjectFiles = {
  // `.claude` and `.agents` have skills.
  settings: ['.opencode', 'opencode.json', 'opencode.jsonc', '.claude', '.agents'],
  instructions: ['AGENTS.md', 'CLAUDE.md', 'CONTEXT.md'],
  above: [
    ...['opencode.json', 'opencode.jsonc', 'AGENTS.md', 'CLAUDE.md', 'CONTEXT.md'],
    ...['opencode.json', 'opencode.jsonc', ...configFolders].map((name) => `.opencode/${name}`),
  ],
  completedByCli: ['opencode.json', 'opencode.jsonc'].map((path) => ({
    path,
    relevantPart: withoutSchema,
  })),
};

const configFiles = ['opencode.json', 'opencode.jsonc', 'config.json'].map((path) => ({
  path,
  // It creates the file with this key.
  relevantPart: withoutSchema,
}));

/**
 * A login of this kind is the address of a server whose configuration OpenCode loads at every start, with the commands
 * of its MCP servers (1.18.33). Other logins stay as they are: OpenCode refreshes their tokens.
 */
const remoteConfigurations = (text: string): string =>
  canonicalJson(text, (logins) =>
    Object.fromEntries(Object.entries(logins).filter(([, login]) => asObject(login)?.type === 'wellknown')),
  );

const ownHomeFiles: readonly HomeFile[] = [
  // The list of services and their addresses, which OpenCode downloads (1.18.33): another address gets the real key.
  { path: '.cache/opencode/models.json', base: 'user', isCache: true },
  { path: 'opencode/auth.json', relevantPart: remoteConfigurations },
  ...(['config', 'user'] as const).flatMap((base) =>
    [...configFiles, ...homeFiles('config', 'AGENTS.md', ...configFolders)].map((file) => ({
      ...file,
      base,
      path: `${base === 'user' ? '.opencode' : 'opencode'}/${file.path}`,
    })),
  ),
];

export const opencode: Provider = {
  id: 'opencode',
  title: 'OpenCode',
  executable: 'opencode',
  installHint,
  npm: { name: 'opencode-ai', needsScript: true },
  models: {
    opus: 'anthropic/claude-opus-4-6',
    sonnet: 'anthropic/claude-sonnet-4-6',
    haiku: 'anthropic/claude-haiku-4-5',
    gpt54: 'openai/gpt-5.4',
    gpt53: 'openai/gpt-5.3-codex',
    gemini: 'google/gemini-3.1-pro-preview',
  },
  services: serviceNames,
  sessionIds: 'chosen',
  newSessionId: (uuid) => `ses_${uuid.replaceAll('-', '').slice(0, 26)}`,
  isSessionId: (text) => sessionId.test(text),
  environment: withheldEnvironment,
  environmentForModel: serviceEnvironment,
  sessionFiles,
  projectFiles,
  homeFiles: ownHomeFiles,
  sessionCommands,
  pricing,
  buildCommand: command,
  createReader: createOpencodeReader,
};
