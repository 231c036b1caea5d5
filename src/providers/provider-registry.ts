/** The table of providers, one row each. All code that needs the list of providers reads it. */
import { claude } from './claude.js';
import { codex } from './codex.js';
import { cursor } from './cursor.js';
import { gemini } from './gemini.js';
import { opencode } from './opencode.js';
import type { Provider } from './provider.js';
import { qwen } from './qwen.js';

export const providers: readonly Provider[] = [claude, codex, gemini, qwen, opencode, cursor];

/** The provider with this id. `table` lets a test add a provider. */
export function findProvider(id: string, table: readonly Provider[] = providers): Provider | undefined {
  return table.find((provider) => provider.id === id);
}
