/**
 * Compares the stand-ins with recordings of the real CLIs (`test/fixtures/transcripts`): the same kinds of lines in the
 * same order, and no key that the real line does not have.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { AgentAction } from '../rig/stand-in.js';
import { runCli, useMachine } from './run-cli.js';

type Json = Readonly<Record<string, unknown>>;

const transcripts = fileURLToPath(new URL('../fixtures/transcripts/', import.meta.url));

const scenarios: Readonly<
  Record<string, { readonly acts: readonly AgentAction[]; readonly args?: readonly string[] }>
> = {
  success: { acts: [{ say: 'hello' }] },
  tool: { acts: [{ write: 'notes.txt', content: 'hello' }, { run: 'cat notes.txt' }, { say: 'done' }] },
  401: { acts: [{ fail: 401 }] },
  429: { acts: [{ fail: 429 }] },
  500: { acts: [{ fail: 500 }] },
  context: { acts: [{ fail: 'context' }] },
  'max-turns': { acts: [{ run: 'true' }, { run: 'true' }, { run: 'true' }], args: ['--max-turns', '2'] },
};

const clis = [
  {
    name: 'claude',
    version: '2.1.330',
    args: ['-p', '--output-format', 'stream-json', '--verbose', '--include-partial-messages'].concat([
      '--permission-mode',
      'acceptEdits',
      '--allowedTools',
      'Bash',
    ]),
    scenes: ['success', 'tool', '401', '429', 'context', 'max-turns'],
  },
  {
    name: 'codex',
    version: '0.169.0',
    args: ['exec', '--json', '-s', 'workspace-write', '-'],
    scenes: ['success', 'tool', '401', '429', 'context'],
  },
  {
    name: 'gemini',
    version: '0.61.0',
    args: ['--output-format=stream-json', '--approval-mode=yolo', '--skip-trust', '-m', 'gemini-2.5-flash'],
    scenes: ['success', 'tool', '401', '429', '500', 'context'],
  },
  {
    name: 'qwen',
    version: '0.24.4',
    args: ['--output-format=stream-json', '--approval-mode=yolo'],
    scenes: ['success', 'tool', '401', '429', '500', 'context', 'max-turns'],
  },
  {
    name: 'opencode',
    version: '1.18.33',
    args: ['run', '--format', 'json'],
    scenes: ['success', 'tool', '401', '429', 'context'],
  },
];

/** CLIs whose option for the maximum of turns has another name. */
const turnLimits: Readonly<Record<string, readonly string[]>> = { qwen: ['--max-session-turns', '2'] };

const rig = useMachine();

const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Json);

/** The kind of a line. */
function lineKind(line: Json): string {
  const inner = (line.event ?? line.item ?? line.part) as Json | undefined;
  return [line.type, line.subtype, inner?.type].filter(Boolean).join(' ');
}

/** Joins the pieces of an answer, because their number differs between runs. */
const wholeAnswers = (all: readonly Json[]) =>
  all.filter((line, index) => !(line.delta === true && all[index - 1]?.delta === true));

const nestedKeys = [
  'message',
  'event',
  'item',
  'usage',
  'error',
  'stats',
  'goal_state',
  'parameters',
  'part',
  'state',
  'tokens',
  'cache',
  'data',
];

/** `message.usage.input_tokens` and so on, as deep as the readers look. */
function keyPaths(line: Json, before = ''): readonly string[] {
  return Object.entries(line).flatMap(([name, value]) => {
    const path = before + name;
    const isDeeper = nestedKeys.includes(name) && typeof value === 'object' && value !== null;
    return isDeeper ? [path, ...keyPaths(value as Json, `${path}.`)] : [path];
  });
}

describe.each(clis)('$name $version', ({ name, version, args, scenes: played }) => {
  it.each(played)('%s', async (scenario) => {
    const { acts, args: more = [] } = scenarios[scenario] ?? { acts: [] };
    await rig.standIn.script([{ do: acts }]);
    const limit = more.length > 0 ? (turnLimits[name] ?? more) : [];
    const ours = wholeAnswers(lines((await runCli(rig.machine, name, [...args, ...limit], 'go')).stdout));
    const real = lines(await readFile(join(transcripts, name, `${version}.${scenario}.ndjson`), 'utf8'));
    expect(ours.map(lineKind)).toEqual(real.map(lineKind));
    const invented = ours.map((line, index) => {
      const known = new Set(keyPaths(real[index] ?? {}));
      return keyPaths(line).filter((path) => !known.has(path));
    });
    expect(invented.flat()).toEqual([]);
  });
});
