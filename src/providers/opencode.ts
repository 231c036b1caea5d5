/**
 * OpenCode (1.18.33 tried): the command line, the environment, and the commands by which a session comes out
 * of its database and back. What it prints is read in `opencode-reader.ts`.
 */
import { asObject, parseLine } from './ndjson.js';
import { createOpencodeReader, installHint } from './opencode-reader.js';
import { serviceEnvironment, withheldEnvironment } from './opencode-services.js';
import type {
  AgentCommand,
  Pricing,
  Provider,
  SessionCommand,
  SessionCommands,
  SessionFiles,
  TurnRequest,
} from './provider.js';

const sessionId = /^ses_[0-9A-Za-z]{26}$/;

/** Nobody is there to answer what a tool wants to ask, and a question would wait for ever. */
const unattendedPermissions = ['question', 'plan_enter', 'plan_exit'].map((permission) => ({
  permission,
  pattern: '*',
  action: 'deny',
}));

/**
 * The `plan` agent lets commands write and tells the model that it must not write a verdict either, so rules
 * are set instead: they hold for its sub-agents too. Patterns count from the top of the repository.
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
      // A new session with an id of ours was imported before; `run` itself takes none for a new one.
      ...(session.id === undefined ? [] : ['--session', session.id]),
      ...(model === undefined ? [] : ['--model', model]),
      // Unless told so it refuses its file tools what lies outside of the working directory (1.18.33).
      ...(permission === 'full' ? ['--auto'] : []),
    ],
    env: {
      ...quietEnvironment,
      ...(permission === 'read-only' ? { OPENCODE_PERMISSION: readOnlyPermissions } : {}),
      ...configEnvironment(turn.environment?.OPENCODE_CONFIG_CONTENT),
    },
    stdin: turn.prompt,
  };
}

/**
 * What is not allowed and would be asked about is refused, as nobody is there. Without this setting the first
 * refusal, of a look at a file outside the working directory for example, ends the run without a word.
 */
function configEnvironment(users: string | undefined): Readonly<Record<string, string>> {
  const settings = users === undefined ? {} : parseLine(users);
  // With comments in it, or broken: it stays as it is.
  if (settings === undefined) return {};
  const experimental = { continue_loop_on_deny: true, ...asObject(settings.experimental) };
  return { OPENCODE_CONFIG_CONTENT: JSON.stringify({ ...settings, experimental }) };
}

/** `--pure`: what a plugin of the checkout does has no place in keeping a session. */
const sessionCommand = (...args: readonly string[]): SessionCommand => ({
  file: opencode.executable,
  args: [...args, '--pure'],
  env: quietEnvironment,
});

const sessionCommands: SessionCommands = {
  emptyExport: (id, directory) =>
    JSON.stringify({
      info: {
        id,
        slug: 'gump',
        projectID: 'global',
        directory,
        // With a title of its own no model is asked for one.
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
  // Only its logins are looked for here: the database beside them holds keys as well as sessions.
  home: { variable: 'XDG_DATA_HOME', folder: '.local/share' },
  patterns: () => [],
  restorePath: (file) => file,
};

/** OpenCode's names of services that the table of prices calls otherwise. */
const priceNames: Readonly<Record<string, string>> = {
  'amazon-bedrock': 'aws',
  'fireworks-ai': 'fireworks',
  togetherai: 'together',
  xai: 'x-ai',
};

/** It tells the cost of the models that it has prices for. */
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
  sessionIds: 'chosen',
  newSessionId: (uuid) => `ses_${uuid.replaceAll('-', '').slice(0, 26)}`,
  isSessionId: (text) => sessionId.test(text),
  environment: withheldEnvironment,
  environmentForModel: serviceEnvironment,
  sessionFiles,
  sessionCommands,
  pricing,
  buildCommand: command,
  createReader: createOpencodeReader,
};
