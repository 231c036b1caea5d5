/**
 * Qwen Code: command line, environment, session file. Tested with 0.24.4. `qwen-reader.ts` reads its output.
 */
import { homeFiles, withoutKeys } from './home-files.js';
import { asObject, asTokens, parseLine } from './ndjson.js';
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
  Usage,
} from './provider.js';
import { createQwenReader, installHint } from './qwen-reader.js';
import { addUsage, toUsage } from './usage.js';
import { isUuid } from './uuid.js';

/** As in Gemini CLI, on which it is based: no mode exists between file changes only and everything. */
const approvalModes: Readonly<Record<Permission, string>> = {
  'read-only': 'auto-edit',
  workspace: 'yolo',
  full: 'yolo',
};

/** The action's settings have a lower precedence than the user's own, who may want more retries. */
const defaults = 'QWEN_CODE_SYSTEM_DEFAULTS_PATH';

function command({ session, model, args = [], permission, prompt, environment }: TurnRequest): AgentCommand {
  const start = session.id === undefined ? [] : ['--session-id', session.id];
  return {
    file: qwen.executable,
    args: [
      ...args,
      '--output-format=stream-json',
      `--approval-mode=${approvalModes[permission]}`,
      ...(session.mode === 'resume' ? ['--resume', session.id] : start),
      ...(model === undefined ? [] : [`--model=${model}`]),
    ],
    env: {
      QWEN_USAGE_STATISTICS_ENABLED: 'false',
      // The permissions of the step already allow what it warns about.
      QWEN_CODE_SUPPRESS_YOLO_WARNING: '1',
      // If true, it retries without end (0.24.4).
      QWEN_CODE_UNATTENDED_RETRY: 'false',
    },
    stdin: prompt,
    // By default it retries for 111 s after one error (0.24.4). The engine does the longer waits.
    ...(environment?.[defaults] === undefined
      ? {
          settings: {
            variable: defaults,
            content: '{"model":{"generationConfig":{"maxRetries":0}}}',
          },
        }
      : {}),
  };
}

const environment: ProviderEnvironment = {
  variables: ['QWEN_*', 'OPENAI_*', 'DASHSCOPE_*', 'BAILIAN_*'],
  gateways: [],
  credentials: [
    { variable: 'OPENAI_API_KEY', isStatic: true },
    { variable: 'DASHSCOPE_API_KEY', isStatic: true },
    { variable: 'BAILIAN_CODING_PLAN_API_KEY', isStatic: true },
    { variable: 'BAILIAN_TOKEN_PLAN_API_KEY', isStatic: true },
  ],
  logins: [
    { file: 'oauth_creds.json' },
    { file: 'settings.json', contains: 'API_KEY' },
    { file: '.env', contains: 'API_KEY' },
  ],
};

const sessionFiles: SessionFiles = {
  home: { variable: 'QWEN_HOME', folder: '.qwen' },
  patterns: (id) => [`projects/*/chats/${id}.jsonl`],
  restorePath: (_file, id, directory) => `projects/${qwenProjectFolder(directory)}/chats/${id}.jsonl`,
  // The CLI checks the directory in the first line only, and refuses a session of another directory.
  rewrite: (content, directory) => {
    const end = content.indexOf('\n');
    const first = end < 0 ? content : content.subarray(0, end);
    return Buffer.concat([withDirectory(first, directory), content.subarray(first.length)]);
  },
  readUsage: (content) => addUsage({}, ...content.toString('utf8').split('\n').map(answerUsage)),
};

/** The folder under `projects` in which Qwen Code keeps the sessions of a directory (symbolic links resolved). */
function qwenProjectFolder(directory: string): string {
  return directory.replace(/[^A-Za-z0-9]/g, '-');
}

function withDirectory(line: Buffer, directory: string): Buffer {
  const entry = parseLine(line.toString('utf8'));
  return entry?.cwd === undefined ? line : Buffer.from(JSON.stringify({ ...entry, cwd: directory }));
}

/** Qwen Code writes the usage of every answer, and itself adds these numbers up when it resumes. */
function answerUsage(line: string): Usage {
  if (!line.includes('"ui_telemetry"')) return {};
  const event = asObject(asObject(parseLine(line)?.systemPayload)?.uiEvent);
  if (event?.['event.name'] !== 'qwen-code.api_response') return {};
  return toUsage({
    inputTokens: asTokens(event.input_token_count),
    outputTokens: asTokens(event.output_token_count),
    cacheReadTokens: asTokens(event.cached_content_token_count),
  });
}

/** It supports any service of this kind, so only the name of the model determines the price. */
const pricing: Pricing = { priceReference: (model) => ({ model }), inputIncludesCache: true };

/** Found by tracing the file accesses of 0.24.4: `.env` up to the root of the file system. */
const projectFiles: ProjectFiles = {
  // `.lsp.json` starts language servers, if that is switched on.
  settings: ['.qwen', '.agents', '.mcp.json', '.lsp.json', '.env'],
  instructions: ['QWEN.md', 'QWEN.local.md', 'AGENTS.md', '.qwenignore', '.agentignore', '.aiignore'],
  above: ['.env', '.qwen/.env'],
  completedByCli: [{ path: '.qwen/settings.json', relevantPart: withoutKeys('$version') }],
};

const ownHomeFiles: readonly HomeFile[] = [
  // It writes the version of the format into the file (0.24.4).
  { path: 'settings.json', relevantPart: withoutKeys('$version') },
  ...homeFiles(
    '.env',
    'QWEN.md',
    'AGENTS.md',
    'commands',
    'skills',
    'agents',
    'hooks',
    'rules',
    'trustedFolders.json',
  ),
  // It writes this list at its first start (0.24.4).
  { path: 'extensions/extension-enablement.json', isCache: true },
  // Each extension is a folder in it.
  ...homeFiles('extensions'),
  { path: '.env', base: 'user' },
];

export const qwen: Provider = {
  id: 'qwen',
  title: 'Qwen Code',
  executable: 'qwen',
  installHint,
  npm: { name: '@qwen-code/qwen-code' },
  models: {
    coder: 'qwen3-coder',
    'coder-plus': 'qwen3-coder-plus',
    plus: 'qwen3-coder-plus',
    // The model in the user's own settings.
    local: undefined,
  },
  families: ['alibaba', 'dashscope', 'coder'],
  sessionIds: 'chosen',
  isSessionId: isUuid,
  environment,
  sessionFiles,
  projectFiles,
  homeFiles: ownHomeFiles,
  pricing,
  buildCommand: command,
  createReader: createQwenReader,
};
