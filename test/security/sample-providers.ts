/** The environment rows of two providers, as small as the tests need. */
import type { ProviderEnvironment } from '../../src/providers/provider.js';

export const claude: { readonly environment: ProviderEnvironment } = {
  environment: {
    variables: ['ANTHROPIC_*', 'CLAUDE_*'],
    gateways: [
      { when: 'CLAUDE_CODE_USE_BEDROCK', variables: ['AWS_*'] },
      { when: 'CLAUDE_CODE_USE_VERTEX', variables: ['GOOGLE_APPLICATION_CREDENTIALS'] },
    ],
    credentials: [
      { variable: 'ANTHROPIC_API_KEY', isStatic: true },
      { variable: 'ANTHROPIC_AUTH_TOKEN', isStatic: false },
    ],
    logins: [{ file: '.credentials.json', contains: 'accessToken' }],
  },
};

export const codex: { readonly environment: ProviderEnvironment } = {
  environment: {
    variables: ['OPENAI_*', 'CODEX_*'],
    gateways: [],
    credentials: [
      { variable: 'CODEX_API_KEY', isStatic: true },
      { variable: 'OPENAI_API_KEY', isStatic: true },
    ],
    logins: [{ file: 'auth.json' }],
  },
};

export const providers = [claude, codex];
