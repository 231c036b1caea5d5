/**
 * Gemini CLI: command line, environment, session file. Tested with 0.61.0. `gemini-reader.ts` reads its output,
 * `gemini-project.ts` finds the folder in its home that belongs to a directory.
 */
import { geminiProjectFolder } from './gemini-project.js';
import { createGeminiReader, installHint, tokenUsage } from './gemini-reader.js';
import { homeFiles } from './home-files.js';
import { asNumber, asObject, asText, parseLine } from './ndjson.js';
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
import { addUsage } from './usage.js';
import { isUuid } from './uuid.js';

/**
 * `plan` cannot write its answer in `.gump/out`. `auto_edit` writes files in the working directory and runs no
 * commands. No mode exists between it and `yolo`, which allows everything.
 */
const approvalModes: Readonly<Record<Permission, string>> = {
  'read-only': 'auto_edit',
  workspace: 'yolo',
  full: 'yolo',
};

function command({ session, model, args = [], permission, prompt }: TurnRequest): AgentCommand {
  const start = session.id === undefined ? [] : ['--session-id', session.id];
  return {
    file: gemini.executable,
    args: [
      ...args,
      '--output-format=stream-json',
      `--approval-mode=${approvalModes[permission]}`,
      ...(session.mode === 'resume' ? ['--resume', session.id] : start),
      ...(model === undefined ? [] : [`--model=${model}`]),
    ],
    env: {
      // For this process only. The user's list of trusted folders does not change.
      GEMINI_CLI_TRUST_WORKSPACE: 'true',
      // It restarts itself to get more memory, and a killed parent would leave that child process running.
      GEMINI_CLI_NO_RELAUNCH: 'true',
    },
    // The number of retries is only in settings files, and those that are not the user's own must belong to root.
    // The default is 10 tries, which take 223 s (0.61.0).
    stdin: prompt,
  };
}

const environment: ProviderEnvironment = {
  variables: [
    'GEMINI_*',
    'GOOGLE_API_KEY',
    'GOOGLE_GEMINI_BASE_URL',
    'GOOGLE_GENAI_*',
    'GOOGLE_VERTEX_BASE_URL',
  ],
  gateways: [
    { when: 'GOOGLE_GENAI_USE_VERTEXAI', variables: ['GOOGLE_*', 'GCLOUD_*', 'CLOUDSDK_*'] },
    { when: 'GOOGLE_GENAI_USE_GCA', variables: ['GOOGLE_*', 'GCLOUD_*', 'CLOUDSDK_*'] },
    { when: 'GEMINI_CLI_USE_COMPUTE_ADC', variables: ['GOOGLE_*', 'GCLOUD_*', 'CLOUDSDK_*'] },
  ],
  credentials: [
    { variable: 'GEMINI_API_KEY', isStatic: true },
    { variable: 'GOOGLE_API_KEY', isStatic: true },
  ],
  logins: [{ file: 'oauth_creds.json' }, { file: '.env', contains: 'API_KEY' }],
};

const sessionFiles: SessionFiles = {
  home: { parentVariable: 'GEMINI_CLI_HOME', folder: '.gemini' },
  // The name contains only the start of the id. Every resume adds a small file of the same session.
  patterns: (id) => [`tmp/*/chats/session-*-${id.slice(0, 8)}.jsonl`],
  // The CLI reads the id in the file, so the name does not change.
  restorePath: (file, _id, directory, home) =>
    `tmp/${geminiProjectFolder(directory, home)}/chats/${file.slice(file.lastIndexOf('/') + 1)}`,
  readUsage: (content) => addUsage({}, ...readAnswerUsages(content.toString('utf8')).values()),
  readContextTokens: (content) => {
    const last = [...readAnswerUsages(content.toString('utf8')).values()].at(-1);
    return last?.inputTokens === undefined ? undefined : last.inputTokens + (last.outputTokens ?? 0);
  },
};

/** The CLI writes an answer again when its tokens are known and when its tools have run (0.61.0). The last line counts. */
function readAnswerUsages(text: string): ReadonlyMap<string, Usage> {
  const answers = new Map<string, Usage>();
  for (const line of text.split('\n')) {
    const answer = line.includes('"tokens"') ? parseLine(line) : undefined;
    const id = asText(answer?.id);
    const { input, output, cached, total } = asObject(answer?.tokens) ?? {};
    if (id !== undefined && asNumber(input) !== undefined)
      answers.set(id, tokenUsage({ input, output, cached, total }));
  }
  return answers;
}

const pricing: Pricing = {
  priceReference: (model) => ({ service: 'google', model }),
  inputIncludesCache: true,
};

/** Found by tracing the file accesses of 0.61.0: `.env` up to the root of the file system. */
const projectFiles: ProjectFiles = {
  settings: ['.gemini', '.agents', '.env'],
  instructions: ['GEMINI.md', '.geminiignore'],
  above: ['.env', '.gemini/.env'],
};

const ownHomeFiles: readonly HomeFile[] = [
  ...homeFiles(
    'settings.json',
    '.env',
    'GEMINI.md',
    'extensions',
    'commands',
    'policies',
    'skills',
    'agents',
  ),
  ...homeFiles('trustedFolders.json', 'hooks', 'system.md'),
  { path: '.env', base: 'user' },
];

export const gemini: Provider = {
  id: 'gemini',
  title: 'Gemini CLI',
  executable: 'gemini',
  installHint,
  npm: { name: '@google/gemini-cli' },
  models: {
    flash: 'gemini-3-flash',
    pro: 'gemini-3.1-pro-preview',
    'flash-lite': 'gemini-3.1-flash-lite',
    '25-pro': 'gemini-2.5-pro-preview',
    '25-flash': 'gemini-2.5-flash',
  },
  families: ['google', 'flash', 'pro'],
  sessionIds: 'chosen',
  isSessionId: isUuid,
  environment,
  sessionFiles,
  projectFiles,
  homeFiles: ownHomeFiles,
  pricing,
  buildCommand: command,
  createReader: createGeminiReader,
};
