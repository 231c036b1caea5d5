/**
 * Qwen Code (0.24.4 tried): the command line, the environment, the session file. What it prints is read in
 * `qwen-reader.ts`.
 */
import { asNumber, asObject, parseLine } from './ndjson.js';
import type {
  AgentCommand,
  Permission,
  Pricing,
  Provider,
  ProviderEnvironment,
  SessionFiles,
  TurnRequest,
  Usage,
} from './provider.js';
import { createQwenReader, installHint } from './qwen-reader.js';
import { addUsage, toUsage } from './usage.js';
import { isUuid } from './uuid.js';

/** As with Gemini CLI, which it descends from: between files alone and everything there is nothing. */
const approvalModes: Readonly<Record<Permission, string>> = {
  'read-only': 'auto-edit',
  workspace: 'yolo',
  full: 'yolo',
};

/** Ours come below the user's own, who may want it more patient. */
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
      ...(model === undefined ? [] : ['--model', model]),
    ],
    env: {
      QWEN_USAGE_STATISTICS_ENABLED: 'false',
      // What it warns of is what the step's permission says.
      QWEN_CODE_SUPPRESS_YOLO_WARNING: '1',
      // Set to true, it tries again for ever (0.24.4).
      QWEN_CODE_UNATTENDED_RETRY: 'false',
    },
    stdin: prompt,
    // 111 s at one error unless told; waiting longer is the engine's (0.24.4).
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
  // It looks at the directory of the first line alone, and refuses a session of another.
  rewrite: (content, directory) => {
    const end = content.indexOf('\n');
    const first = end < 0 ? content : content.subarray(0, end);
    return Buffer.concat([withDirectory(first, directory), content.subarray(first.length)]);
  },
  readUsage: (content) => addUsage({}, ...content.toString('utf8').split('\n').map(answerUsage)),
};

/** The folder under `projects` in which Qwen Code keeps the sessions of a directory (symbolic links resolved). */
export function qwenProjectFolder(directory: string): string {
  return directory.replace(/[^A-Za-z0-9]/g, '-');
}

function withDirectory(line: Buffer, directory: string): Buffer {
  const entry = parseLine(line.toString('utf8'));
  return entry?.cwd === undefined ? line : Buffer.from(JSON.stringify({ ...entry, cwd: directory }));
}

/** Qwen Code notes every answer of the service, and on a resume sums these notes up itself. */
function answerUsage(line: string): Usage {
  if (!line.includes('"ui_telemetry"')) return {};
  const event = asObject(asObject(parseLine(line)?.systemPayload)?.uiEvent);
  if (event?.['event.name'] !== 'qwen-code.api_response') return {};
  return toUsage({
    inputTokens: asNumber(event.input_token_count),
    outputTokens: asNumber(event.output_token_count),
    cacheReadTokens: asNumber(event.cached_content_token_count),
  });
}

/** It speaks to any service of this kind; the name of the model says whose price that is. */
const pricing: Pricing = { priceReference: (model) => ({ model }), inputIncludesCache: true };

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
    // Whatever model the user's own settings name.
    local: undefined,
  },
  sessionIds: 'chosen',
  isSessionId: isUuid,
  environment,
  sessionFiles,
  pricing,
  buildCommand: command,
  createReader: createQwenReader,
};
