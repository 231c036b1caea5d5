/** The table of providers: one row each. Everything that knows of all of them reads it. */
import { claude } from './claude.js';
import { codex } from './codex.js';
import { cursor } from './cursor.js';
import { gemini } from './gemini.js';
import { opencode } from './opencode.js';
import type { Provider } from './provider.js';
import { qwen } from './qwen.js';

export const providers: readonly Provider[] = [claude, codex, gemini, qwen, opencode, cursor];

/** The provider with this id; `table` is there so that a test can add one of its own. */
export function findProvider(id: string, table: readonly Provider[] = providers): Provider | undefined {
  return table.find((provider) => provider.id === id);
}
