/** Puts the agent's CLI on a machine: the stand-in, or the real one with what it needs of the user's. */

import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { defined } from '../../src/optional-keys.js';
import type { Machine } from '../../test/rig/machine.js';
import { installStandIn } from '../../test/rig/stand-in.js';
import { type AgentKind, standInRules } from './example.js';

export interface Agent {
  readonly kind: AgentKind;
  /** As it stands in the workflow. */
  readonly name: string;
  /** For the eyes of whoever started the demo: what runs, and what it touches. */
  readonly notes: readonly string[];
  /** Variables of the action's step. */
  readonly env: Readonly<Record<string, string>>;
  install(machine: Machine): Promise<void>;
  /** Whether it works in a home that is the user's own and outlives the machine. */
  readonly usesLogin: boolean;
  /** The folder in which Claude Code keeps its files on this machine. */
  home(machine: Machine): string;
}

/** `callsFile` outlives the machines: the stand-in counts its calls by it. */
export function standInAgent(callsFile: string): Agent {
  return {
    kind: 'stand-in',
    name: 'claude-haiku',
    usesLogin: false,
    notes: [
      'The agent is a stand-in with the command line and the files of Claude Code: no account, no key, no network.',
    ],
    env: { ANTHROPIC_API_KEY: 'sk-ant-no-real-key-0123456789abcdef' },
    async install(machine) {
      const standIn = await installStandIn(machine, { providers: ['claude'], callsFile });
      await standIn.script(standInRules);
    },
    home: (machine) => join(machine.home, '.claude'),
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What the real CLI takes from the user's environment: keys, addresses, the way to the network. */
const forwardedVariables =
  /^(?:ANTHROPIC_.+|CLAUDE_CODE_OAUTH_TOKEN|(?:https?|no)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/i;
const credentialVariables = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'];

/** A sentence instead where the real CLI cannot be had. */
export function realAgent(name: string, environment: Environment): Agent | string {
  if (!/^claude(-|$)/.test(name)) {
    return `--agent ${name}: the demo reads the conversations of Claude Code only; take claude-haiku, for example.`;
  }
  const program = findProgram('claude', environment.PATH ?? '');
  if (program === undefined) {
    return '`claude` is not on PATH: install Claude Code (npm install -g @anthropic-ai/claude-code), or leave --agent away.';
  }
  const own = pickVariables(environment, (variable) => forwardedVariables.test(variable));
  const login = credentialVariables.some((key) => own[key]) ? undefined : userLogin(environment);
  return {
    kind: 'real',
    name,
    usesLogin: login !== undefined,
    notes: [
      `The agent is ${program}, as ${name}, on your account: this costs a few cents.`,
      ...homeNotes(login),
      'What it writes should pass at once; so one gate, ./staging.sh, fails in job attempt 1 whatever it writes.',
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
 * The login itself is used where it lies. A copy of it would not do: the CLI renews it, which makes the one
 * that was copied worthless.
 */
function userLogin(environment: Environment): Login {
  const moved = environment.CLAUDE_CONFIG_DIR;
  return {
    home: moved ?? join(homedir(), '.claude'),
    env: { HOME: homedir(), ...defined({ CLAUDE_CONFIG_DIR: moved }) },
  };
}

function homeNotes(login: Login | undefined): readonly string[] {
  if (login === undefined) {
    return ['Your key is in the environment, so nothing in your home folder is read or written.'];
  }
  return [
    `There is no key in the environment, so your login in ${login.home} is used, where it lies. Claude Code`,
    'writes there as ever. After each job attempt the action takes out the session that it made there;',
    'nothing else is deleted. To keep out of your home folder altogether, set ANTHROPIC_API_KEY.',
  ];
}

function pickVariables(
  environment: Environment,
  isTaken: (name: string) => boolean,
): Readonly<Record<string, string>> {
  const entries = Object.entries(environment).filter(([name, value]) => value !== undefined && isTaken(name));
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
