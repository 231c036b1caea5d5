/**
 * The services that OpenCode (1.18.33) can speak to, by the text before the `/` of a model name, and the
 * variables it looks for there. Only what is named here may be handed to an agent as another service's key;
 * of the many services that OpenCode knows these are the ones with rows of their own.
 */
import type { Credential, ProviderEnvironment } from './provider.js';

interface Service {
  readonly variables: readonly string[];
  readonly credentials: readonly Credential[];
  /** The variables are those of a cloud that other steps of the job may be about: they are withheld from nobody. */
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
      // Mostly made anew for every job, by OIDC.
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

/** OpenCode's own settings: each may name a service of its own with its own key. */
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

/** What is withheld from everybody else. */
export const withheldEnvironment = environmentFor(
  Object.values(services).filter(({ isShared }) => isShared !== true),
);

/** For an agent whose model is only named in a configuration. */
const allServicesEnvironment = environmentFor(Object.values(services));

const noCredentialCheck = { gateways: [], logins: [], credentials: [] };

/**
 * The row for a model. A service that is not in the table is one of the user's configuration, with a key
 * that nobody here can know, or with none: all keys are handed on and none is asked for.
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
