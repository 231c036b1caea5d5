/** The scenes that are recorded as fixtures: what is asked of a CLI, and what the mock model does. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Permission, Usage } from '../../src/providers/provider.js';
import type { ModelServer } from '../rig/model-server.js';
import {
  type DrivenTurn,
  type DriveOptions,
  drive,
  type Place,
  type RealCli,
  sessionFilesOf,
} from './drive.js';

export interface Played extends DrivenTurn {
  /** What the session had spent when the recorded process started. */
  readonly before: Usage;
}

type Play = (cli: RealCli, place: Place, server: ModelServer) => Promise<Played>;

/** An id of the form that this CLI takes. */
export const makeId = ({ provider }: RealCli, uuid: string = crypto.randomUUID()): string =>
  provider.newSessionId?.(uuid) ?? uuid;

const newSession = (cli: RealCli): { mode: 'start'; id?: string } =>
  cli.provider.sessionIds === 'chosen' ? { mode: 'start', id: makeId(cli) } : { mode: 'start' };

const start =
  (prompt: string, options: DriveOptions = {}, permission: Permission = 'workspace'): Play =>
  async (cli, place, { url }) => ({
    ...(await drive(cli, place, url, { prompt, session: newSession(cli), permission }, options)),
    before: {},
  });

/** Nobody listens where the service was. Codex waits for the network for ever (0.169.0), so it is stopped. */
const offline: Play = async (cli, place, server) => {
  await server.close();
  const options = cli.provider.id === 'codex' ? { kill: setTimeout(20_000) } : {};
  return start('Say hello.', options)(cli, place, server);
};

/** What the session's file says was spent: what the next process's reader is given. */
export function spentBy(cli: RealCli, place: Place, id: string): Usage {
  const [file] = sessionFilesOf(cli, place, id).values();
  return file === undefined ? {} : (cli.provider.sessionFiles.spent?.(readFileSync(file)) ?? {});
}

const resume: Play = async (cli, place, server) => {
  const first = await start('Remember TOKEN-one.')(cli, place, server);
  const id = first.outcome.session ?? '';
  const before = spentBy(cli, place, id);
  const rest = { prompt: 'Which tokens do you know? TOKEN-two', session: { mode: 'resume', id } } as const;
  return { ...(await drive(cli, place, server.url, rest, { before })), before };
};

const killed: Play = (cli, place, server) => {
  const kill = server.seen(({ prompt, toolResults }) => prompt.includes('TOKEN-killed') && toolResults === 1);
  return start('TOKEN-killed [[bash:echo one]] [[hang]]', { kill })(cli, place, server);
};

export const scenes: Readonly<Record<string, Play>> = {
  success: start('Say hello. TOKEN-one'),
  tool: start('TOKEN-one [[write:notes.txt|hello]] [[bash:cat notes.txt]]'),
  resume,
  401: start('[[fail:401]]'),
  429: start('[[fail:429:2]]'),
  500: start('[[fail:500]]'),
  '429-silent': start('[[fail:429]]'),
  403: start('[[fail:403]]'),
  529: start('[[fail:529]]'),
  context: start('[[fail:context]]'),
  quota: start('[[fail:quota]]'),
  model: start('[[fail:model]]'),
  'cut-stream': start('[[cut]]'),
  'no-network': offline,
  refused: start('[[write:notes.txt|hello]]', {}, 'read-only'),
  'unknown-session': async (cli, place, { url }) => {
    const session = { mode: 'resume', id: makeId(cli, '00000000-0000-4000-8000-000000000000') } as const;
    return { ...(await drive(cli, place, url, { prompt: 'Go on.', session })), before: {} };
  },
  killed,
};

const loop = '[[loop:echo again]]';

/** Only for CLIs with a turn limit of their own. */
const turnLimit: Readonly<Record<string, Play>> = {
  claude: start(loop, { args: ['--max-turns', '2'] }),
  qwen: start(loop, { args: ['--max-session-turns', '2'] }),
  gemini: (cli, place, server) => {
    const file = join(place.home, '.gemini/settings.json');
    const settings = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...settings, model: { maxSessionTurns: 2 } }));
    return start(loop)(cli, place, server);
  },
};

export function scenesOf({ provider }: RealCli): Readonly<Record<string, Play>> {
  const limited = turnLimit[provider.id];
  return limited === undefined ? scenes : { ...scenes, 'max-turns': limited };
}
