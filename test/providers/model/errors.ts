/** Error responses of the services: status, headers and body in the format of each. */
import type { ModelAnswer, NamedFailure } from './answer.js';
import type { Json, WireFormat } from './request.js';

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
}

type Service = 'anthropic' | 'openai' | 'google';

const services: Readonly<Record<WireFormat, Service>> = {
  anthropic: 'anthropic',
  responses: 'openai',
  chat: 'openai',
  gemini: 'google',
};

const anthropic = (type: string, message: string): Json => ({ type: 'error', error: { type, message } });
const openai = (type: string, code: string, message: string): Json => ({
  error: { message, type, param: null, code },
});
const google = (code: number, status: string, message: string, details: readonly Json[] = []): Json => ({
  error: { code, message, status, details },
});

const quotaExceeded = 'You exceeded your current quota, please check your plan and billing details.';
const dailyQuota = {
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier', quotaValue: '250' }],
};

const namedErrors: Readonly<Record<NamedFailure, Readonly<Record<Service, readonly [number, Json]>>>> = {
  context: {
    anthropic: [
      400,
      anthropic('invalid_request_error', 'prompt is too long: 250000 tokens > 200000 maximum'),
    ],
    openai: [400, contextError('Your input exceeds the context window of this model.')],
    google: [400, contextError('Your input exceeds the context window of this model.')],
  },
  quota: {
    anthropic: [
      400,
      anthropic(
        'invalid_request_error',
        'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
      ),
    ],
    openai: [429, openai('insufficient_quota', 'insufficient_quota', quotaExceeded)],
    google: [429, google(429, 'RESOURCE_EXHAUSTED', quotaExceeded, [dailyQuota])],
  },
  model: {
    anthropic: [404, anthropic('not_found_error', 'model: no-such-model')],
    openai: [
      404,
      openai(
        'invalid_request_error',
        'model_not_found',
        'The model `no-such-model` does not exist or you do not have access to it.',
      ),
    ],
    google: [
      404,
      google(
        404,
        'NOT_FOUND',
        'models/no-such-model is not found for API version v1beta, or is not supported for generateContent.',
      ),
    ],
  },
  // The texts are from public reports of conversations that could not be continued.
  conversation: {
    anthropic: [
      400,
      anthropic(
        'invalid_request_error',
        'messages.3: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1.',
      ),
    ],
    openai: [
      400,
      {
        error: {
          message: 'No tool output found for function call call_1.',
          type: 'invalid_request_error',
          param: 'input',
          code: null,
        },
      },
    ],
    google: [
      400,
      google(
        400,
        'INVALID_ARGUMENT',
        'Please ensure that function call turn comes immediately after a user turn or after a function response turn.',
      ),
    ],
  },
};

function contextError(message: string): Json {
  return { error: { type: 'invalid_request_error', code: 'context_length_exceeded', message } };
}

const errorNames: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
  500: 'api_error',
  529: 'overloaded_error',
};

/** A limit with its duration, which Google and OpenAI also write into the body. */
function rateLimitBody(service: Service, seconds: number): Json {
  if (service === 'google')
    return google(429, 'RESOURCE_EXHAUSTED', `Resource has been exhausted. Please retry in ${seconds}s.`, [
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${seconds}s` },
    ]);
  return openai(
    'tokens',
    'rate_limit_exceeded',
    `Rate limit reached for mock on tokens per min. Please try again in ${seconds}s.`,
  );
}

function errorBody(service: Service, status: number, seconds: number | undefined): Json {
  if (status === 429 && seconds !== undefined && service !== 'anthropic')
    return rateLimitBody(service, seconds);
  const type = errorNames[status] ?? 'api_error';
  return { type: 'error', error: { type, message: `mock error ${status}`, code: status } };
}

export function errorAnswer(
  format: WireFormat,
  { fail, retryAfterSeconds }: Extract<ModelAnswer, { readonly fail: unknown }>,
): ErrorAnswer {
  const service = services[format];
  const [status, body] =
    typeof fail === 'number'
      ? [fail, errorBody(service, fail, retryAfterSeconds)]
      : namedErrors[fail][service];
  const wait = retryAfterSeconds === undefined ? {} : { 'retry-after': `${retryAfterSeconds}` };
  return { status, headers: { 'content-type': 'application/json', ...wait }, body };
}
