/**
 * Codex: command line, environment, session file. Tested with 0.169.0. `codex-reader.ts` reads its output.
 */
import { codexUsage, createCodexReader, installHint, retryLogModule } from './codex-reader.js';
import { homeFiles } from './home-files.js';
import { asObject, asTokens, parseLine } from './ndjson.js';
import type {
  AgentCommand,
  HomeFile,
  Pricing,
  ProjectFiles,
  Provider,
  ProviderEnvironment,
  SessionFiles,
  TurnRequest,
} from './provider.js';
import { isUuid } from './uuid.js';

/**
 * A resumed session does not store how it was started, so every process gets its permissions. `-s read-only` has
 * no writable folder; a permission profile has one, but only without `-s` (0.169.0, tested on Linux).
 */
function permissionArgs({ permission, directory }: TurnRequest): readonly string[] {
  if (permission === 'full') return ['-s', 'danger-full-access'];
  if (permission === 'workspace') return ['-s', 'workspace-write'];
  // A JSON string is a TOML string.
  const output = JSON.stringify(`${directory}/.gump/out`);
  return [
    ...['-c', 'default_permissions="gump_read_only"'],
    ...['-c', `permissions.gump_read_only.filesystem={":root"="read",${output}="write"}`],
  ];
}

function command(turn: TurnRequest): AgentCommand {
  const { session, model } = turn;
  return {
    file: codex.executable,
    args: [
      ...['exec', ...(turn.args ?? []), '--json', '--skip-git-repo-check'],
      // Its shell snapshots contain every variable, including keys, and remain after a kill (0.169.0).
      ...['--disable', 'shell_snapshot'],
      ...['-c', 'analytics.enabled=false'],
      ...permissionArgs(turn),
      ...(model === undefined ? [] : [`--model=${model}`]),
      // All flags come before `resume`, which accepts few. `-`: read the prompt from standard input.
      ...(session.mode === 'resume' ? ['resume', session.id] : []),
      '-',
    ],
    env: { RUST_LOG: `${turn.environment?.RUST_LOG || 'error'},${retryLogModule}=warn` },
    stdin: turn.prompt,
  };
}

const environment: ProviderEnvironment = {
  variables: ['OPENAI_*', 'CODEX_*'],
  gateways: [
    {
      when: 'AWS_BEARER_TOKEN_BEDROCK',
      variables: ['AWS_BEARER_TOKEN_BEDROCK', 'AWS_REGION', 'AWS_DEFAULT_REGION'],
    },
    { when: 'AZURE_OPENAI_API_KEY', variables: ['AZURE_OPENAI_*'] },
  ],
  credentials: [
    { variable: 'CODEX_API_KEY', isStatic: true },
    { variable: 'OPENAI_API_KEY', isStatic: true },
    { variable: 'AZURE_OPENAI_API_KEY', isStatic: true },
    { variable: 'CODEX_ACCESS_TOKEN', isStatic: false },
  ],
  logins: [{ file: 'auth.json' }, { file: 'config.toml', contains: 'model_provider' }],
};

const sessionFiles: SessionFiles = {
  home: { variable: 'CODEX_HOME', folder: '.codex' },
  // Never the databases in the same folder: they contain absolute paths, and a moved one hides the session.
  patterns: (id) => [`sessions/**/rollout-*-${id}.jsonl`],
  // Codex finds the file in any date folder and from any working directory, but its name must not change.
  restorePath: (file) => file,
  readUsage: (content) => {
    const lines = content.toString('utf8').split('\n');
    return codexUsage(lastTokenCount(lines, 'total_token_usage') ?? {});
  },
  readContextTokens: (content) => {
    const last = lastTokenCount(content.toString('utf8').split('\n'), 'last_token_usage');
    return asTokens(last?.total_tokens);
  },
};

/** Of the thread (`total_token_usage`), or of its last request alone (`last_token_usage`). */
function lastTokenCount(
  lines: readonly string[],
  name: 'total_token_usage' | 'last_token_usage',
): ReturnType<typeof asObject> {
  for (const line of lines.toReversed()) {
    const payload = line.includes('"token_count"') ? asObject(parseLine(line)?.payload) : undefined;
    const counted = payload?.type === 'token_count' ? asObject(asObject(payload.info)?.[name]) : undefined;
    if (counted !== undefined) return counted;
  }
  return undefined;
}

const pricing: Pricing = {
  priceReference: (model) => ({ service: 'openai', model }),
  inputIncludesCache: true,
};

/** Found by tracing the file accesses of 0.169.0: from the root of the repository to the working directory. */
const projectFiles: ProjectFiles = {
  // `.agents` has skills and plugins; also the plugins of Claude Code and Cursor count.
  settings: ['.codex', '.agents', '.codex-plugin', '.claude-plugin', '.cursor-plugin'],
  instructions: ['AGENTS.md', 'AGENTS.override.md'],
  above: [],
};

const ownHomeFiles: readonly HomeFile[] = [
  ...homeFiles(
    'config.toml',
    'managed_config.toml',
    'hooks.json',
    'hooks',
    'rules',
    'agents',
    'prompts',
    'plugins',
  ),
  ...homeFiles('AGENTS.md', 'AGENTS.override.md'),
];

export const codex: Provider = {
  id: 'codex',
  title: 'Codex',
  executable: 'codex',
  installHint,
  npm: { name: '@openai/codex' },
  models: {
    gpt54: 'gpt-5.4',
    'gpt54-mini': 'gpt-5.4-mini',
    gpt53: 'gpt-5.3-codex',
    'gpt53-spark': 'gpt-5.3-codex-spark',
    gpt52: 'gpt-5.2-codex',
    'gpt51-max': 'gpt-5.1-codex-max',
    o3: 'o3-codex',
  },
  families: ['openai', 'chatgpt', 'gpt', 'o3', 'o4'],
  sessionIds: 'given',
  // Codex reads any other text as the title of a session. If it finds none, it starts a new one without a message.
  isSessionId: isUuid,
  environment,
  sessionFiles,
  projectFiles,
  homeFiles: ownHomeFiles,
  pricing,
  buildCommand: command,
  createReader: createCodexReader,
};
