/**
 * Records transcripts of the real CLIs: `npm run record -- <provider> [scene]`. Writes, for each pinned
 * version, `VERSION.SCENE.ndjson` (what the CLI printed, machine paths replaced) and `.json` (what the
 * adapter made of it: read it before you commit it).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { projectFolder } from '../../src/providers/claude.js';
import { fold } from '../providers/fold.js';
import { startModelServer } from '../rig/model-server.js';
import { clis, makePlace, makeRoot, modules, type Place, type RealCli, removeRoot } from './drive.js';
import { scenesOf } from './scenes.js';

const home = '/home/runner';
const directory = '/home/runner/work/app/app';

/** The same stream, told from a machine that nobody owns. */
function scrubber(place: Place, url: string): (text: string) => string {
  const pairs = [
    [projectFolder(place.directory), projectFolder(directory)],
    [place.directory, directory],
    // OpenCode tells paths from the root on too.
    [place.directory.slice(1), directory.slice(1)],
    [place.home, home],
    [modules, '/usr/lib/node_modules'],
    [url, 'http://127.0.0.1:8080'],
    [url.replace('http://', ''), '127.0.0.1:8080'],
  ] as const;
  return (text) =>
    pairs
      .reduce((result, [from, to]) => result.replaceAll(from, to), text)
      .replace(/"messaging_socket_path":"[^"]*"/g, `"messaging_socket_path":"${home}/socket"`);
}

/** What the CLI can do on this machine: long, and read by nobody. */
const lists = ['slash_commands', 'terminal_slash_commands', 'agents', 'skills', 'plugins', 'capabilities'];

function shorten(line: string): string {
  if (!line.includes('"subtype":"init"')) return line;
  return JSON.stringify(JSON.parse(line), (key, value) => (lists.includes(key) ? [] : value));
}

/** Codex warns of a home under the folder for temporary files, and a runner's is not; Gemini CLI prints its stack. */
const withoutNoise = (stderr: string): string => stderr.replace(/^(WARNING: | {4}at ).*\n/gm, '');

async function record(cli: RealCli, scene: string): Promise<void> {
  const root = makeRoot();
  const server = await startModelServer();
  try {
    const place = makePlace(root, server.url);
    const played = await scenesOf(cli)[scene]?.(cli, place, server);
    if (played === undefined) return;
    const scrub = scrubber(place, server.url);
    const lines = played.lines.map((line) => shorten(scrub(line)));
    const exit = { ...played.exit, stderrTail: withoutNoise(scrub(played.exit.stderrTail)) };
    const expected = { before: played.before, exit, ...fold(cli.provider, lines, exit, played.before) };
    const folder = new URL(`../fixtures/transcripts/${cli.provider.id}/`, import.meta.url);
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      new URL(`${cli.version}.${scene}.ndjson`, folder),
      lines.map((line) => `${line}\n`).join(''),
    );
    writeFileSync(
      new URL(`${cli.version}.${scene}.json`, folder),
      `${JSON.stringify(expected, undefined, 2)}\n`,
    );
    console.log(`${cli.provider.id} ${cli.version} ${scene}: ${JSON.stringify(expected.outcome)}`);
  } finally {
    await server.close();
    removeRoot(root);
  }
}

const [provider, scene] = process.argv.slice(2);
const chosen = clis.filter((cli) => cli.provider.id === provider);
const names = [...new Set(chosen.flatMap((cli) => Object.keys(scenesOf(cli))))];
if (chosen.length === 0 || (scene !== undefined && !names.includes(scene))) {
  const known = [...new Set(clis.map((cli) => cli.provider.id))].join('|');
  console.error(`usage: npm run record -- ${known} [${names.join('|') || 'scene'}]`);
  process.exitCode = 1;
} else {
  for (const cli of chosen) {
    for (const name of scene === undefined ? names : [scene]) await record(cli, name);
  }
}
