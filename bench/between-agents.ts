/** A checkout with 100,000 files: the time between two agents, against `git status`. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Machine } from '../test/rig/machine.js';
import { makeRepository } from '../test/rig/repository.js';
import { agentScript } from './agent-script.js';
import { onMachine, runMain } from './bench-run.js';
import { median } from './measure.js';
import type { Group, Measured } from './row.js';

const execute = promisify(execFile);

const fileCount = 100_000;
const stepNames = Array.from({ length: 8 }, (_, at) => `s${at + 1}`);
const statusCalls = 9;

const workflow = `name: bench
steps:
${stepNames.map((name) => `  - {name: ${name}, type: code, agent: claude-haiku, prompt: Step ${name}.}`).join('\n')}
`;

/** The agent changes two files, and also writes down when it starts and ends. */
const timedAgent = agentScript
  .replace('#!/bin/sh\n', '#!/bin/sh\ndate +%s%N >>"$HOME/times"\n')
  .replace('echo "$id" >>changed.txt', [17, 70_001].map((at) => `echo "$id" >>"${pathOf(at)}"`).join('\n'))
  .concat('date +%s%N >>"$HOME/times"\n');

export const betweenAgents: Group = { name: 'files', measure: measureBetweenAgents };

async function measureBetweenAgents(): Promise<Measured> {
  const repository = await makeRepository({ '.gump/workflows/bench.yaml': workflow, ...files() });
  try {
    const { status, gap } = await onMachine({ repository, agent: timedAgent }, measureOn);
    return {
      rows: [
        {
          measure: '100,000 files: time between two agents, directory store ÷ `git status`',
          value: gap / status,
          target: 2.5,
        },
      ],
      details: `100,000 files: \`git status\` takes ${status.toFixed(0)} ms, and ${gap.toFixed(0)} ms are between two agents.`,
    };
  } finally {
    await repository.remove();
  }
}

/** Medians, in milliseconds. */
async function measureOn(machine: Machine): Promise<{ readonly status: number; readonly gap: number }> {
  const before = await timeStatus(machine);
  await runMain(machine, { store: 'directory' });
  const gaps = await readGaps(machine);
  const after = await timeStatus(machine);
  return { status: median([...before, ...after]), gap: median(gaps) };
}

/** The first call writes the index and does not count. */
async function timeStatus({ workspace }: Machine): Promise<readonly number[]> {
  const times: number[] = [];
  for (let call = 0; call <= statusCalls; call += 1) {
    const started = performance.now();
    await execute('git', ['status', '--porcelain'], { cwd: workspace });
    if (call > 0) times.push(performance.now() - started);
  }
  return times;
}

async function readGaps({ home }: Machine): Promise<readonly number[]> {
  const lines = (await readFile(join(home, 'times'), 'utf8')).trim().split('\n');
  const times = lines.map((line) => Number(BigInt(line) / 1000n) / 1000);
  if (times.length !== 2 * stepNames.length) throw new Error('An agent did not run exactly once.');
  return stepNames.slice(1).map((_, at) => (times[2 * at + 2] ?? 0) - (times[2 * at + 1] ?? 0));
}

/** 200 packages with ten small files in each folder, and ignore rules in some of them. */
function files(): Readonly<Record<string, string>> {
  const sources = Array.from({ length: fileCount }, (_, at) => [
    pathOf(at),
    `export const value${at} = ${at};\n`.repeat(1 + (at % 20)),
  ]);
  const rules = Array.from({ length: 20 }, (_, at) => [`packages/p${at}/.gitignore`, 'dist/\n*.log\n']);
  return {
    ...(Object.fromEntries([...sources, ...rules]) as Record<string, string>),
    '.gitignore': 'node_modules/\ndist/\n.cache/\n',
  };
}

function pathOf(at: number): string {
  const folder = Math.floor(at / 10);
  const part = folder % 3 === 0 ? 'src' : `src/part-${folder % 50}`;
  return `packages/p${folder % 200}/${part}/m${folder}/file-${at % 10}.ts`;
}
