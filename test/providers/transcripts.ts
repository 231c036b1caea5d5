/** The recorded streams of the real CLIs, and what an adapter makes of each. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Provider, Usage } from '../../src/providers/provider.js';
import type { Exit } from '../../src/system/process.js';
import type { Folded } from './fold.js';

export interface Transcript {
  /** `VERSION.SCENE` */
  readonly name: string;
  readonly scene: string;
  readonly lines: readonly string[];
  readonly expected: Folded & { readonly before: Usage; readonly exit: Exit };
}

export function transcriptsOf(provider: Provider): readonly Transcript[] {
  const folder = new URL(`../fixtures/transcripts/${provider.id}/`, import.meta.url);
  const names = readdirSync(folder).flatMap((file) => (file.endsWith('.ndjson') ? file.slice(0, -7) : []));
  return names.map((name) => ({
    name,
    scene: name.slice(name.lastIndexOf('.') + 1),
    lines: readFileSync(new URL(`${name}.ndjson`, folder), 'utf8')
      .split('\n')
      .slice(0, -1),
    expected: JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')),
  }));
}
