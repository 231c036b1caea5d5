/**
 * Claude Code: command line, environment, session file. Tested with 2.1.197 and 2.1.330. `claude-reader.ts` reads
 * its output.
 */
import { defined } from '../optional-keys.js';
import { canonicalJson } from './canonical-json.js';
import { installHint } from './claude-failures.js';
import { createClaudeReader } from './claude-reader.js';
import { homeFiles } from './home-files.js';
import { asObject, asUsd, parseLine } from './ndjson.js';
import type {
  AgentCommand,
  HomeFile,
  Permission,
  Pricing,
  ProjectFiles,
  Provider,
  ProviderEnvironment,
  SessionFiles,
  TurnRequest,
} from './provider.js';
import { isUuid } from './uuid.js';

/**
 * `Edit(...)` covers every tool that writes files, `Write(...)` none (both versions). The pattern is relative to
 * the working directory. `dontAsk` refuses what is not listed, but allows commands that only read.
 */
const permissions: Readonly<Record<Permission, readonly string[]>> = {
  'read-only': ['--permission-mode', 'dontAsk', '--allowedTools', 'Read,Grep,Glob,Edit(.gump/out/**)'],
  // Without `Edit`: `acceptEdits` allows it in the working directory only.
  workspace: ['--permission-mode', 'acceptEdits', '--allowedTools', 'Bash,Read,Grep,Glob,WebFetch,WebSearch'],
  full: ['--permission-mode', 'bypassPermissions'],
};

function command(turn: TurnRequest): AgentCommand {
  const { session, model, permission } = turn;
  const start = session.id === undefined ? [] : ['--session-id', session.id];
  return {
    file: claude.executable,
    args: [
      ...['-p', ...(turn.args ?? []), '--output-format', 'stream-json', '--verbose'],
      // Without partial messages, no line reports the tokens of an answer before the process ends.
      '--include-partial-messages',
      ...(session.mode === 'resume' ? ['--resume', session.id] : start),
      ...(model === undefined ? [] : [`--model=${modelName(model)}`]),
      ...permissions[permission],
    ],
    env: {
      DISABLE_AUTOUPDATER: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      // The default of 10 takes minutes (2.1.330). The engine does the longer waits.
      CLAUDE_CODE_MAX_RETRIES: turn.environment?.CLAUDE_CODE_MAX_RETRIES ?? '2',
      // As root it refuses `bypassPermissions`, unless this variable says that the machine is a sandbox.
      ...(permission === 'full' && turn.isRoot ? { IS_SANDBOX: '1' } : {}),
    },
    stdin: turn.prompt,
  };
}

/** `opus-4-6` in an agent name means `claude-opus-4-6`. The CLI itself knows the short names without a version. */
function modelName(model: string): string {
  return /^[a-z]+-\d/.test(model) && !model.startsWith('claude-') ? `claude-${model}` : model;
}

const environment: ProviderEnvironment = {
  // The last two are limits. They would otherwise be withheld, because their names contain TOKEN.
  variables: ['ANTHROPIC_*', 'CLAUDE_*', 'MAX_THINKING_TOKENS', 'MAX_MCP_OUTPUT_TOKENS'],
  gateways: [
    { when: 'CLAUDE_CODE_USE_BEDROCK', variables: ['AWS_*'] },
    { when: 'CLAUDE_CODE_USE_MANTLE', variables: ['AWS_*'] },
    { when: 'CLAUDE_CODE_USE_ANTHROPIC_AWS', variables: ['AWS_*'] },
    {
      when: 'CLAUDE_CODE_USE_VERTEX',
      variables: ['GOOGLE_*', 'GCLOUD_*', 'CLOUDSDK_*', 'CLOUD_ML_REGION', 'VERTEX_REGION_*'],
    },
    { when: 'CLAUDE_CODE_USE_FOUNDRY', variables: ['AZURE_*'] },
  ],
  credentials: [
    { variable: 'ANTHROPIC_API_KEY', isStatic: true },
    { variable: 'CLAUDE_CODE_OAUTH_TOKEN', isStatic: true },
    { variable: 'ANTHROPIC_FOUNDRY_API_KEY', isStatic: true },
    { variable: 'ANTHROPIC_AWS_API_KEY', isStatic: true },
    // A bearer token for a gateway; often created for each job.
    { variable: 'ANTHROPIC_AUTH_TOKEN', isStatic: false },
    { variable: 'ANTHROPIC_IDENTITY_TOKEN', isStatic: false },
    { variable: 'ANTHROPIC_IDENTITY_TOKEN_FILE', isStatic: false },
  ],
  logins: [{ file: '.credentials.json' }, { file: 'settings.json', contains: 'apiKeyHelper' }],
};

const sessionFiles: SessionFiles = {
  home: { variable: 'CLAUDE_CONFIG_DIR', folder: '.claude' },
  // Any folder: 2.1.330 also resumes a session of another directory and continues to write to its existing file.
  patterns: (id) => [`projects/*/${id}.jsonl`],
  restorePath: (_file, id, directory) => `projects/${claudeProjectFolder(directory)}/${id}.jsonl`,
  readUsage: (content) => defined({ costUsd: lastCostState(content) }),
};

/** The folder in `projects` where Claude Code stores the sessions of `directory` (symbolic links resolved). */
export function claudeProjectFolder(directory: string): string {
  const slug = directory.replace(/[^A-Za-z0-9]/g, '-');
  return slug.length <= 200 ? slug : `${slug.slice(0, 200)}-${hash(directory)}`;
}

/** 31 h + c over UTF-16 code units in 32 bits; found by running both versions in a path of 262 characters. */
function hash(text: string): string {
  let value = 0;
  for (let index = 0; index < text.length; index++)
    value = (Math.imul(value, 31) + text.charCodeAt(index)) | 0;
  return Math.abs(value).toString(36);
}

/** Versions that count the cost over the whole session write it near the end of the file at every normal end. */
function lastCostState(content: Buffer): number | undefined {
  const lines = content.toString('utf8').split('\n');
  const last = lines.findLast(
    (line) => line.includes('"cost-state"') && parseLine(line)?.type === 'cost-state',
  );
  return last === undefined ? undefined : asUsd(parseLine(last)?.totalCostUSD);
}

/** Only needed for a process that was stopped: Claude Code reports the cost at its end. */
const pricing: Pricing = {
  // `claude-opus-4-8[1m]` names a model with a longer context.
  priceReference: (model) => ({ service: 'anthropic', model: model.replace(/\[.*\]$/, '') }),
  inputIncludesCache: false,
};

/** Found by tracing the file accesses of 2.1.197 and 2.1.330: up to the root of the file system, and in folders of files that it reads. */
const projectFiles: ProjectFiles = {
  // `.claude` also contains hooks, skills, rules and agents.
  settings: ['.claude', '.mcp.json', '.claude-plugin'],
  instructions: ['CLAUDE.md', 'CLAUDE.local.md', 'AGENTS.md'],
  above: [
    '.mcp.json',
    'CLAUDE.md',
    'CLAUDE.local.md',
    'AGENTS.md',
    '.claude/CLAUDE.md',
    '.claude/AGENTS.md',
    '.claude/rules',
  ],
};

/** Of a project in `.claude.json`: what it allows. The rest are counters and the last use. */
const projectKeys = /^(mcp|allowed|enabled|disabled|hasTrust|hasClaudeMd|hooks|env)/;

/** What it allows and starts. It writes the rest of the file at every start (2.1.330). */
const claudeJsonPart = (text: string): string =>
  canonicalJson(text, ({ mcpServers, env, hooks, apiKeyHelper, permissions, projects }) => ({
    ...{ mcpServers, env, hooks, apiKeyHelper, permissions },
    projects: Object.entries(asObject(projects) ?? {}).flatMap(([path, project]) => {
      const kept = Object.entries(asObject(project) ?? {}).filter(
        ([key, value]) => projectKeys.test(key) && !isEmpty(value),
      );
      return kept.length === 0 ? [] : [[path, Object.fromEntries(kept)]];
    }),
  }));

/** It adds empty lists and `false` by itself. */
function isEmpty(value: unknown): boolean {
  return value === false || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);
}

const ownHomeFiles: readonly HomeFile[] = [
  ...homeFiles(
    'settings.json',
    'settings.local.json',
    // The copy of an organization's settings, with hooks. Without a network, it counts as it is (2.1.330).
    'remote-settings.json',
    'CLAUDE.md',
    'AGENTS.md',
    'agents',
    'commands',
    'hooks',
  ),
  ...homeFiles(
    'skills',
    'rules',
    'output-styles',
    'workflows',
    'plugins/cache',
    'plugins/installed_plugins.json',
  ),
  ...homeFiles('plugins/known_marketplaces.json'),
  // In the folder of CLAUDE_CONFIG_DIR if that is set, otherwise in HOME.
  { path: '.claude.json', relevantPart: claudeJsonPart },
  { path: '.claude.json', base: 'user', relevantPart: claudeJsonPart },
];

export const claude: Provider = {
  id: 'claude',
  title: 'Claude Code',
  executable: 'claude',
  installHint,
  npm: { name: '@anthropic-ai/claude-code', needsScript: true },
  models: {
    opus: 'opus',
    opusplan: 'opusplan',
    sonnet: 'sonnet',
    haiku: 'haiku',
    'opus-4-6': 'claude-opus-4-6',
    'sonnet-4-6': 'claude-sonnet-4-6',
    'haiku-4-5': 'claude-haiku-4-5-20251001',
  },
  families: ['anthropic', 'opus', 'sonnet', 'haiku'],
  sessionIds: 'chosen',
  isSessionId: isUuid,
  environment,
  sessionFiles,
  projectFiles,
  homeFiles: ownHomeFiles,
  pricing,
  buildCommand: command,
  createReader: createClaudeReader,
};
