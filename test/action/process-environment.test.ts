/** What other processes of the machine can read and write while the action runs: `/proc/<pid>` of its processes. */
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Machine, StepResult } from '../rig/machine.js';
import { anthropicKey, createHarness, openaiKey } from './harness.js';

const flow = `
name: flow
steps:
  - name: one
    type: code
    agent: claude-haiku
    prompt: first
    gate: [bash: 'sleep 0.1']
`;

const stateKey = 'CANARY.state.key/0123456789+abcdef';
const otherSecret = 'CANARY-other-0123456789abcdef';
const githubToken = 'ghs_dummyTokenOfTheTestRig0000000000';

/** A user without an entry in the list of users. Only root can start processes of another user. */
const user = process.getuid?.() === 0 ? 54321 : undefined;

/** Node reads these only at its start. */
const startVariables = { NODE_USE_SYSTEM_CA: '1', NODE_USE_ENV_PROXY: '1', OPENSSL_CONF: '/dev/null' };

/** The programs that the action starts for itself. */
const programs = ['git', 'tar', 'gzip'] as const;

/** Replaces a program by one that first writes down something, then runs the real one. */
async function spyOn(machine: Machine, name: string, command: string): Promise<void> {
  await machine.install(
    name,
    `#!/bin/sh\n( ${command} ) >>"$HOME/spy.log" 2>&1\nexec /usr/bin/${name} "$@"\n`,
  );
}

const spyLog = (machine: Machine) => readFile(join(machine.home, 'spy.log'), 'utf8');

/** The variables of all processes of this machine, with the name of the program that looked. */
const dumpAll = (name: string) =>
  `PATH=/usr/bin:/bin; echo "spy ${name}"; for e in $(grep -lszx "HOME=$HOME" /proc/[0-9]*/environ); do ` +
  `echo "-- $(tr '\\0' '\\n' <"$e")"; done 2>/dev/null`;

interface Leak {
  readonly process: string;
  readonly secret: string;
}

/**
 * Reads the environments of all processes of a machine all the time. The runner itself starts the action with the
 * secrets: those do not count until the process has replaced itself.
 */
function watchEnvironments(home: string, secrets: readonly string[]) {
  const leaks = new Map<string, Leak>();
  const clean = new Set<string>();
  const isPid = (name: string) => /^\d+$/.test(name);
  const others = new Set(readdirSync('/proc').filter(isPid));
  const look = () => {
    for (const pid of readdirSync('/proc').filter((name) => isPid(name) && !others.has(name))) {
      const found = readProcess(pid);
      if (found === undefined || !found.environ.split('\0').includes(`HOME=${home}`)) continue;
      const secret = secrets.find((one) => found.environ.includes(one));
      const isAgent = found.environ.includes('GUMP_ATTEMPT=') && secret === anthropicKey;
      if (secret === undefined) clean.add(pid);
      const isStart = / \S*(?:index|post)\.js/.test(found.command) && !clean.has(pid);
      if (secret !== undefined && !isAgent && !isStart)
        leaks.set(`${pid} ${secret}`, { process: found.command, secret });
    }
  };
  const timer = setInterval(look, 20);
  return () => {
    clearInterval(timer);
    return [...leaks.values()];
  };
}

function readProcess(pid: string): { readonly environ: string; readonly command: string } | undefined {
  try {
    const [environ = '', command = ''] = ['environ', 'cmdline'].map((name) =>
      readFileSync(`/proc/${pid}/${name}`, 'utf8'),
    );
    return { environ, command: ` ${command.replaceAll('\0', ' ')}` };
  } catch {
    return undefined;
  }
}

describe.runIf(process.platform === 'linux' && process.execve !== undefined)(
  'the processes of the action',
  () => {
    it('have no secret in their environment at any time: main, post and every program that they start', async () => {
      const harness = await createHarness({ code: 'dist', workflow: flow });
      const ref = 'refs/heads/main';
      const cacheToken = harness.cache.token({ repository: 'octo/sample', read: [ref], write: ref });
      const secrets = [anthropicKey, openaiKey, stateKey, otherSecret, githubToken, cacheToken];
      let endWatch: () => readonly Leak[] = () => [];
      let seen = '';
      const { main, post } = await harness.runJob({
        cacheToken,
        inputs: { 'state-key': stateKey },
        env: { OTHER_SECRET: otherSecret, ...startVariables },
        async prepare(machine) {
          for (const name of programs) await spyOn(machine, name, dumpAll(name));
          endWatch = watchEnvironments(machine.home, secrets);
        },
        async inspect(machine) {
          seen = await spyLog(machine);
        },
      });
      expect(endWatch()).toEqual([]);
      expect(main.outputs).toMatchObject({ status: 'passed', persisted: 'true' });
      // A job that ended with success is stored once more by post.
      expect(post?.exitCode).toBe(0);
      expect(programs.filter((name) => !seen.includes(`spy ${name}\n`))).toEqual([]);
      expect(seen.match(/^spy tar$/gm)?.length).toBeGreaterThan(1);
      expect(secrets.filter((secret) => seen.includes(secret))).toEqual([]);
      const own = seen.split('-- ').find((text) => text.includes('GUMP_ACTION_ENVIRONMENT_FILE='));
      for (const [name, value] of Object.entries(startVariables)) expect(own).toContain(`${name}=${value}\n`);
      expect(seen.match(/^(?:INPUT_|ACTIONS_|STATE_|GITHUB_TOKEN).*/m)).toBeNull();
    });

    it('cannot be read or written to by other processes of the same user', async () => {
      const harness = await createHarness({
        code: 'dist',
        workflow: flow,
        ...(user === undefined ? {} : { user }),
      });
      const results: string[] = [];
      const { main, post } = await harness.runJob({
        rules: [{ do: [{ run: attack('agent') }] }],
        prepare: (machine) => spyOn(machine, 'tar', attack('tar')),
        async inspect(machine) {
          results.push(...(await spyLog(machine)).trim().split('\n'));
        },
      });
      expectPassed(main, post);
      const tried = ['environ', 'maps', 'mem', 'fd', 'fd/1'];
      const lines = (who: string, script: string) =>
        tried.map((name) => expect.stringMatching(`^${who} \\S*${script} ${name}: denied$`));
      expect(new Set(results)).toEqual(
        new Set([...lines('agent', 'index.js'), ...lines('tar', 'index.js'), ...lines('tar', 'post.js')]),
      );
      expect(main.log + post?.log).not.toContain('pwned');
    });
  },
);

function expectPassed(main: StepResult['main'], post: StepResult['post']): void {
  expect(main.outputs).toMatchObject({ status: 'passed', persisted: 'true' });
  expect([post?.exitCode, post?.errors]).toEqual([0, []]);
}

/** Tries to read and to write to the process of the action, which is an ancestor. One line for each way. */
function attack(who: string): string {
  const ways = {
    environ: 'head -c 1 "/proc/$p/environ"',
    maps: 'head -c 1 "/proc/$p/maps"',
    mem: 'exec 3<"/proc/$p/mem"',
    fd: 'ls "/proc/$p/fd"',
    'fd/1': 'echo "::error::pwned" >"/proc/$p/fd/1"',
  };
  const tries = Object.entries(ways).map(
    ([name, command]) =>
      `if (${command}) >/dev/null 2>&1; then r=allowed; else r=denied; fi; echo "${who} $s ${name}: $r"`,
  );
  const find =
    'p=$$; while s=$(tr "\\0" "\\n" <"/proc/$p/cmdline" | grep -E "/(index|post)\\.js$"); [ -z "$s" ]; do ' +
    'p=$(sed "s/.*) . //; s/ .*//" "/proc/$p/stat"); [ "$p" -gt 1 ] || break; done';
  // The action gives `tar` a PATH with few programs.
  return `PATH=/usr/bin:/bin; ${find}; { ${tries.join('; ')}; } >>"$HOME/spy.log"`;
}
