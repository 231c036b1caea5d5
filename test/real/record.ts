/**
 * Records transcripts of the real CLIs: `npm run record -- <provider> [scenario]`. Writes, for each pinned
 * version, `VERSION.SCENARIO.ndjson` (the output of the CLI, with machine paths replaced) and `.json` (the result of
 * the adapter: check it before you commit it).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { claudeProjectFolder } from '../../src/providers/claude.js';
import { readTranscript } from '../providers/read-transcript.js';
import { startModelServer } from '../rig/model-server.js';
import {
  type CliMachine,
  clis,
  makeCliMachine,
  makeTemporaryFolder,
  nodeModules,
  type RealCli,
  removeFolder,
} from './real-cli.js';
import { scenariosOf } from './scenarios.js';

const home = '/home/runner';
const directory = '/home/runner/work/app/app';

/** The same stream without paths and names of this machine. */
function createScrubber(machine: CliMachine, url: string): (text: string) => string {
  const pairs = [
    [claudeProjectFolder(machine.directory), claudeProjectFolder(directory)],
    [machine.directory, directory],
    // OpenCode also prints paths relative to the root.
    [machine.directory.slice(1), directory.slice(1)],
    [machine.home, home],
    [nodeModules, '/usr/lib/node_modules'],
    [url, 'http://127.0.0.1:8080'],
    [url.replace('http://', ''), '127.0.0.1:8080'],
  ] as const;
  return (text) =>
    pairs
      .reduce((result, [from, to]) => result.replaceAll(from, to), text)
      .replace(/"messaging_socket_path":"[^"]*"/g, `"messaging_socket_path":"${home}/socket"`);
}

/** Lists of the CLI's features on this machine, which are long and which no reader uses. */
const machineLists = [
  'slash_commands',
  'terminal_slash_commands',
  'agents',
  'skills',
  'plugins',
  'capabilities',
];

function shorten(line: string): string {
  if (!line.includes('"subtype":"init"')) return line;
  return JSON.stringify(JSON.parse(line), (key, value) => (machineLists.includes(key) ? [] : value));
}

/** Codex warns about a home in the folder for temporary files, unlike on a runner. Gemini CLI prints its stack. */
const withoutNoise = (stderr: string): string => stderr.replace(/^(WARNING: | {4}at ).*\n/gm, '');

async function record(cli: RealCli, scenario: string): Promise<void> {
  const root = makeTemporaryFolder();
  const server = await startModelServer();
  try {
    const machine = makeCliMachine(root, server.url);
    const result = await scenariosOf(cli)[scenario]?.(cli, machine, server);
    if (result === undefined) return;
    const scrub = createScrubber(machine, server.url);
    const lines = result.lines.map((line) => shorten(scrub(line)));
    const exit = { ...result.exit, stderrTail: withoutNoise(scrub(result.exit.stderrTail)) };
    const expected = {
      before: result.usageBefore,
      exit,
      ...readTranscript(cli.provider, lines, exit, result.usageBefore),
    };
    const folder = new URL(`../fixtures/transcripts/${cli.provider.id}/`, import.meta.url);
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      new URL(`${cli.version}.${scenario}.ndjson`, folder),
      lines.map((line) => `${line}\n`).join(''),
    );
    writeFileSync(
      new URL(`${cli.version}.${scenario}.json`, folder),
      `${JSON.stringify(expected, undefined, 2)}\n`,
    );
    console.log(`${cli.provider.id} ${cli.version} ${scenario}: ${JSON.stringify(expected.outcome)}`);
  } finally {
    await server.close();
    removeFolder(root);
  }
}

const [provider, scenario] = process.argv.slice(2);
const chosen = clis.filter((cli) => cli.provider.id === provider);
const names = [...new Set(chosen.flatMap((cli) => Object.keys(scenariosOf(cli))))];
if (chosen.length === 0 || (scenario !== undefined && !names.includes(scenario))) {
  const known = [...new Set(clis.map((cli) => cli.provider.id))].join('|');
  console.error(`usage: npm run record -- ${known} [${names.join('|') || 'scene'}]`);
  process.exitCode = 1;
} else {
  for (const cli of chosen) {
    for (const name of scenario === undefined ? names : [scenario]) await record(cli, name);
  }
}
