/**
 * Claude Code (2.1.197 and 2.1.330 tried): the command line, the environment, the session file. What it
 * prints is read in `claude-reader.ts`.
 */
import { createClaudeReader, installHint } from './claude-reader.js';
import { asNumber, parseLine } from './ndjson.js';
import type {
  AgentCommand,
  Permission,
  Pricing,
  Provider,
  ProviderEnvironment,
  SessionFiles,
  TurnRequest,
} from './provider.js';
import { isUuid } from './uuid.js';

/**
 * `Edit(...)` covers every tool that writes files, `Write(...)` none (both versions); the pattern counts from
 * the working directory. `dontAsk` refuses what is not listed but lets commands pass that only read.
 */
const permissions: Readonly<Record<Permission, readonly string[]>> = {
  'read-only': ['--permission-mode', 'dontAsk', '--allowedTools', 'Read,Grep,Glob,Edit(.gump/out/**)'],
  // No `Edit` here: `acceptEdits` allows it in the working directory, and only there.
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
      // Without the parts no line tells how many tokens an answer had before the process has ended.
      '--include-partial-messages',
      ...(session.mode === 'resume' ? ['--resume', session.id] : start),
      ...(model === undefined ? [] : ['--model', modelName(model)]),
      ...permissions[permission],
    ],
    env: {
      DISABLE_AUTOUPDATER: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      // 10 unless told, which takes minutes; waiting longer is the engine's (2.1.330).
      CLAUDE_CODE_MAX_RETRIES: turn.environment?.CLAUDE_CODE_MAX_RETRIES ?? '2',
      // As root it refuses its freest mode unless it is told that the machine is there to be thrown away.
      ...(permission === 'full' && turn.isRoot ? { IS_SANDBOX: '1' } : {}),
    },
    stdin: turn.prompt,
  };
}

/** `opus-4-6` is how an agent name says `claude-opus-4-6`; the CLI knows the short names without a version. */
function modelName(model: string): string {
  return /^[a-z]+-\d/.test(model) && !model.startsWith('claude-') ? `claude-${model}` : model;
}

const environment: ProviderEnvironment = {
  // The last two hold limits, and would be withheld for the word TOKEN in their names.
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
    // A bearer for a gateway; many are made anew for every job.
    { variable: 'ANTHROPIC_AUTH_TOKEN', isStatic: false },
    { variable: 'ANTHROPIC_IDENTITY_TOKEN', isStatic: false },
    { variable: 'ANTHROPIC_IDENTITY_TOKEN_FILE', isStatic: false },
  ],
  logins: [{ file: '.credentials.json' }, { file: 'settings.json', contains: 'apiKeyHelper' }],
};

const sessionFiles: SessionFiles = {
  home: { variable: 'CLAUDE_CONFIG_DIR', folder: '.claude' },
  // Any folder: 2.1.330 resumes a session from another directory and goes on writing where the file lies.
  patterns: (id) => [`projects/*/${id}.jsonl`],
  restorePath: (_file, id, directory) => `projects/${claudeProjectFolder(directory)}/${id}.jsonl`,
  readUsage: (content) => {
    const total = lastCostState(content);
    return total === undefined ? {} : { costUsd: total };
  },
};

/** The folder under `projects` in which Claude Code keeps the sessions of a directory (symbolic links resolved). */
export function claudeProjectFolder(directory: string): string {
  const slug = directory.replace(/[^A-Za-z0-9]/g, '-');
  return slug.length <= 200 ? slug : `${slug.slice(0, 200)}-${hash(directory)}`;
}

/** 31 h + c over the UTF-16 units in 32 bits, found by running both versions in a path of 262 characters. */
function hash(text: string): string {
  let value = 0;
  for (let index = 0; index < text.length; index++)
    value = (Math.imul(value, 31) + text.charCodeAt(index)) | 0;
  return Math.abs(value).toString(36);
}

/** Versions that count the cost over the whole session note it at every clean end, in a line near the end. */
function lastCostState(content: Buffer): number | undefined {
  const lines = content.toString('utf8').split('\n');
  const last = lines.findLast(
    (line) => line.includes('"cost-state"') && parseLine(line)?.type === 'cost-state',
  );
  return last === undefined ? undefined : asNumber(parseLine(last)?.totalCostUSD);
}

/** Only needed for a process that was stopped: at its end Claude Code tells the cost itself. */
const pricing: Pricing = {
  // `claude-opus-4-8[1m]` is how it names a model with a longer context.
  priceReference: (model) => ({ service: 'anthropic', model: model.replace(/\[.*\]$/, '') }),
  inputIncludesCache: false,
};

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
  sessionIds: 'chosen',
  isSessionId: isUuid,
  environment,
  sessionFiles,
  pricing,
  buildCommand: command,
  createReader: createClaudeReader,
};
