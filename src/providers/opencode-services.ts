/**
 * The services that OpenCode (1.18.33) supports, by the text before the `/` of a model name, and the variables
 * that each one reads. An agent gets keys of other services only if they are in this table. OpenCode knows more
 * services; these have rows of their own.
 */
import type { Credential, ProviderEnvironment } from './provider.js';

interface Service {
  readonly variables: readonly string[];
  readonly credentials: readonly Credential[];
  /** The variables belong to a cloud that other steps may use, so they are withheld from nobody. */
  readonly isShared?: boolean;
}

const apiKeyService = (...variables: readonly string[]): Service => ({
  variables,
  credentials: variables.map((variable) => ({ variable, isStatic: true })),
});

const services: Readonly<Record<string, Service>> = {
  alibaba: apiKeyService('DASHSCOPE_API_KEY'),
  'amazon-bedrock': {
    isShared: true,
    variables: ['AWS_*'],
    credentials: [
      { variable: 'AWS_BEARER_TOKEN_BEDROCK', isStatic: true },
      // Usually created for each job, with OIDC.
      { variable: 'AWS_ACCESS_KEY_ID', isStatic: false },
      { variable: 'AWS_WEB_IDENTITY_TOKEN_FILE', isStatic: false },
    ],
  },
  anthropic: { ...apiKeyService('ANTHROPIC_API_KEY'), variables: ['ANTHROPIC_*'] },
  azure: apiKeyService('AZURE_API_KEY'),
  cerebras: apiKeyService('CEREBRAS_API_KEY'),
  deepseek: apiKeyService('DEEPSEEK_API_KEY'),
  'fireworks-ai': apiKeyService('FIREWORKS_API_KEY'),
  google: apiKeyService('GOOGLE_GENERATIVE_AI_API_KEY', 'GEMINI_API_KEY', 'GOOGLE_API_KEY'),
  'google-vertex': {
    isShared: true,
    variables: ['GOOGLE_VERTEX_*', 'GOOGLE_APPLICATION_CREDENTIALS', 'GOOGLE_CLOUD_PROJECT'],
    credentials: [{ variable: 'GOOGLE_APPLICATION_CREDENTIALS', isStatic: false }],
  },
  groq: apiKeyService('GROQ_API_KEY'),
  huggingface: apiKeyService('HF_TOKEN'),
  minimax: apiKeyService('MINIMAX_API_KEY'),
  mistral: apiKeyService('MISTRAL_API_KEY'),
  moonshotai: apiKeyService('MOONSHOT_API_KEY'),
  nvidia: apiKeyService('NVIDIA_API_KEY'),
  openai: { ...apiKeyService('OPENAI_API_KEY'), variables: ['OPENAI_*'] },
  // Some of its models need no key.
  opencode: { variables: ['OPENCODE_API_KEY'], credentials: [] },
  openrouter: apiKeyService('OPENROUTER_API_KEY'),
  togetherai: apiKeyService('TOGETHER_API_KEY'),
  vercel: apiKeyService('AI_GATEWAY_API_KEY'),
  xai: apiKeyService('XAI_API_KEY'),
  zai: apiKeyService('ZHIPU_API_KEY'),
};

/** OpenCode's own settings: each may define a service with its own key. */
const opencodeEnvironment: Pick<ProviderEnvironment, 'gateways' | 'logins'> & {
  readonly variables: readonly string[];
} = {
  variables: ['OPENCODE_*'],
  gateways: [
    'OPENCODE_CONFIG',
    'OPENCODE_CONFIG_CONTENT',
    'OPENCODE_CONFIG_DIR',
    'OPENCODE_AUTH_CONTENT',
  ].map((when) => ({ when, variables: [] })),
  logins: [{ file: 'opencode/auth.json' }],
};

const environmentFor = (all: readonly Service[]): ProviderEnvironment => ({
  ...opencodeEnvironment,
  variables: [...opencodeEnvironment.variables, ...all.flatMap((service) => service.variables)],
  credentials: [
    { variable: 'OPENCODE_API_KEY', isStatic: true },
    ...all.flatMap((service) => service.credentials),
  ],
});

/** What a model name may begin with, before its `/`. */
export const serviceNames: readonly string[] = Object.keys(services);

/** The variables that other processes do not get. */
export const withheldEnvironment = environmentFor(
  Object.values(services).filter(({ isShared }) => isShared !== true),
);

/** For an agent whose model is defined in a configuration only. */
const allServicesEnvironment = environmentFor(Object.values(services));

const noCredentialCheck = { gateways: [], logins: [], credentials: [] };

/**
 * The variables for a model. A service that is not in the table comes from the user's configuration, with an
 * unknown key or with none. So the agent gets all keys, and none is required.
 */
export function serviceEnvironment(model: string | undefined): ProviderEnvironment {
  const name = model?.includes('/') ? model.slice(0, model.indexOf('/')) : undefined;
  if (name === undefined) return allServicesEnvironment;
  const service = Object.hasOwn(services, name) ? services[name] : undefined;
  if (service === undefined) return { ...allServicesEnvironment, ...noCredentialCheck };
  const { credentials } = service;
  const variables = [...opencodeEnvironment.variables, ...service.variables];
  return credentials.length === 0
    ? { ...noCredentialCheck, variables }
    : { ...opencodeEnvironment, variables, credentials };
}
