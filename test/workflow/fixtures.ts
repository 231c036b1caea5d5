import { join } from 'node:path';

export const fixtures = join(import.meta.dirname, '..', 'fixtures', 'workflows');

export const providers = ['claude', 'codex', 'gemini', 'qwen', 'opencode', 'cursor'];
