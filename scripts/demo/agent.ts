/** Installs the agent's CLI on a machine: the stand-in, or the real one with the user's credentials. */

import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { defined } from '../../src/optional-keys.js';
import type { Machine } from '../../test/rig/machine.js';
import { installStandIn } from '../../test/rig/stand-in.js';
import { type AgentKind, standInRules } from './example.js';

export interface Agent {
  readonly kind: AgentKind;
  /** The agent name in the workflow. */
  readonly name: string;
  /** Lines for the user: what runs, and which files it changes. */
  readonly notes: readonly string[];
  /** Environment of the action step. */
  readonly env: Readonly<Record<string, string>>;
  install(machine: Machine, jobAttempt: number): Promise<void>;
  /** Whether the agent uses the user's own home folder, which outlives the machine. */
  readonly usesLogin: boolean;
  /** The folder in which Claude Code keeps its files on this machine. */
  home(machine: Machine): string;
}

/** `callsFile` must outlive the machines, because the stand-in counts its calls in it. */
export function standInAgent(callsFile: string): Agent {
  return {
    kind: 'stand-in',
    name: 'claude-haiku',
    usesLogin: false,
    notes: [
      'The agent is a stand-in with the command line and the files of Claude Code. It needs no account, no key and no network.',
    ],
    env: { ANTHROPIC_API_KEY: 'sk-ant-no-real-key-0123456789abcdef' },
    async install(machine, jobAttempt) {
      const standIn = await installStandIn(machine, { providers: ['claude'], callsFile });
      await standIn.script(standInRules(jobAttempt));
    },
    home: (machine) => join(machine.home, '.claude'),
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that the real CLI gets from the user's environment: keys, addresses and proxies. */
const forwardedVariables =
  /^(?:ANTHROPIC_.+|CLAUDE_CODE_OAUTH_TOKEN|(?:https?|no)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/i;
const credentialVariables = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'];

/** Returns an error message if the real CLI is unavailable. */
export function realAgent(name: string, environment: Environment): Agent | string {
  if (!/^claude(-|$)/.test(name)) {
    return `--agent ${name}: the demo reads only sessions of Claude Code. Use for example claude-haiku.`;
  }
  const program = findProgram('claude', environment.PATH ?? '');
  if (program === undefined) {
    return '`claude` is not on PATH. Install Claude Code (`npm install -g @anthropic-ai/claude-code`), or omit --agent.';
  }
  const own = pickVariables(environment, (variable) => forwardedVariables.test(variable));
  const login = credentialVariables.some((key) => own[key]) ? undefined : userLogin(environment);
  return {
    kind: 'real',
    name,
    usesLogin: login !== undefined,
    notes: [
      `The agent is ${program} with the agent name ${name} and your account. The demo costs a few cents.`,
      ...homeNotes(login),
      'Its code probably passes at once. Therefore the gate ./staging.sh always fails in job attempt 1.',
    ],
    env: { ...own, ...login?.env },
    install: (machine) =>
      machine.install('claude', `#!/bin/sh\nexec '${program.replaceAll("'", "'\\''")}' "$@"\n`),
    home: (machine) => login?.home ?? join(machine.home, '.claude'),
  };
}

interface Login {
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The login is used in its own folder. A copy would break it: the CLI renews the login in the copy, which makes
 * the original invalid.
 */
function userLogin(environment: Environment): Login {
  const configDirectory = environment.CLAUDE_CONFIG_DIR;
  return {
    home: configDirectory ?? join(homedir(), '.claude'),
    env: { HOME: homedir(), ...defined({ CLAUDE_CONFIG_DIR: configDirectory }) },
  };
}

function homeNotes(login: Login | undefined): readonly string[] {
  if (login === undefined) {
    return ['Your key is in the environment. The demo reads and writes nothing in your home folder.'];
  }
  return [
    `The environment contains no key, so the demo uses your login in ${login.home}. Claude Code writes there as`,
    'usual. After each job attempt the action removes the session that it created; it deletes nothing else.',
    'To leave your home folder untouched, set ANTHROPIC_API_KEY.',
  ];
}

function pickVariables(
  environment: Environment,
  isWanted: (name: string) => boolean,
): Readonly<Record<string, string>> {
  const entries = Object.entries(environment).filter(
    ([name, value]) => value !== undefined && isWanted(name),
  );
  return Object.fromEntries(entries) as Readonly<Record<string, string>>;
}

function findProgram(name: string, path: string): string | undefined {
  const folders = path.split(delimiter).filter((folder) => isAbsolute(folder));
  return folders
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
