/**
 * A stand-in for npm on a machine's PATH. It "installs" the stand-in CLIs of the package.json in its working
 * directory, or fails with npm's own messages. It writes its arguments to a file.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cliLocks } from '../../src/providers/cli-locks.js';
import type { Machine } from './machine.js';

export interface NpmCall {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface StandInNpm {
  calls(): Promise<readonly NpmCall[]>;
}

export interface StandInNpmOptions {
  /** Text on standard error. It then installs only half of the packages and ends with 1. */
  readonly errorOutput?: string;
  /** What it records as installed instead: path → entry. */
  readonly records?: Readonly<Record<string, object>>;
  /** Shell commands that run first. */
  readonly commandsBefore?: string;
}

/** Package → program; some refuse to start before their install script has run, as the real ones do. */
const packages = {
  '@anthropic-ai/claude-code': { program: 'claude', needsScript: true },
  '@openai/codex': { program: 'codex', needsScript: false },
  '@google/gemini-cli': { program: 'gemini', needsScript: false },
  '@qwen-code/qwen-code': { program: 'qwen', needsScript: false },
  'opencode-ai': { program: 'opencode', needsScript: true },
};

const agentModule = fileURLToPath(new URL('./cli/agent.mjs', import.meta.url));

export async function installStandInNpm(
  machine: Machine,
  options: StandInNpmOptions = {},
): Promise<StandInNpm> {
  const callsFile = join(machine.root, 'npm-calls.jsonl');
  await machine.install('npm', `#!${process.execPath}\n${npmScript(callsFile, options)}`);
  return {
    async calls() {
      if (!existsSync(callsFile)) return [];
      const lines = (await readFile(callsFile, 'utf8')).trim().split('\n');
      return lines.map((line) => JSON.parse(line) as NpmCall);
    },
  };
}

function npmScript(
  callsFile: string,
  { errorOutput, commandsBefore = ':', records = {} }: StandInNpmOptions,
): string {
  return `
const { execSync } = require('node:child_process');
const { appendFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } = require('node:fs');
const argv = process.argv.slice(2);
appendFileSync(${JSON.stringify(callsFile)}, JSON.stringify({ argv, cwd: process.cwd(), env: process.env }) + '\\n');
execSync(${JSON.stringify(commandsBefore)}, { stdio: 'inherit' });
const [[name, version]] = Object.entries(JSON.parse(readFileSync('package.json', 'utf8')).dependencies);
const { program, needsScript } = ${JSON.stringify(packages)}[name];
const folder = 'node_modules/' + name;
const entry = folder + '/cli.js';
const start = 'import(${JSON.stringify(agentModule)}).then(({ main }) => main(' + JSON.stringify(program) + '));';
const refusal = 'console.error("its script was not run"); process.exit(1);';
const write = (code) => writeFileSync(entry, '#!/usr/bin/env node\\n' + code + '\\n', { mode: 0o755 });
if (argv[0] === 'install' || argv[0] === 'ci') {
  mkdirSync('node_modules/.bin', { recursive: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(folder + '/package.json', JSON.stringify({ name, version }));
  symlinkSync('../' + name + '/cli.js', 'node_modules/.bin/' + program);
  const { packages } = JSON.parse(${JSON.stringify(cliLocks)}[program] ?? '{}');
  writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages: { ...packages, ...${JSON.stringify(records)} } }));
  write(needsScript ? refusal : start);
} else if (argv.at(-1) === name && argv.includes('--no-ignore-scripts')) write(start);
const fails = ${JSON.stringify(errorOutput ?? '')};
if (fails !== '') {
  process.stderr.write(fails);
  process.exit(1);
}
`;
}
