/** The actions of a script, one function each. An action that ends the run returns true. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const actions = {
  write: ({ write, content = '', say }, agent) =>
    editFile(agent, { name: 'Write', path: write, say }, (path) => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }),
  delete: ({ delete: target, say }, agent) =>
    editFile(agent, { name: 'Delete', path: target, say }, (path) =>
      rmSync(path, { recursive: true, force: true }),
    ),
  run: ({ run, say }, agent) => runShell(agent, run, say),
  commit: ({ commit, say }, agent) => runShell(agent, commitCommand(commit), say),
  say: ({ say }, agent) => agent.say(say),
  print: ({ print, times = 1 }) => {
    for (let count = 0; count < times; count += 1) process.stdout.write(`${print}\n`);
  },
  /** One line of about this many bytes that is not an event. */
  giant: ({ giant }) => void process.stdout.write(`{"type":"rig_giant","text":"${'x'.repeat(giant)}"}\n`),
  stderr: ({ stderr }) => void process.stderr.write(`${stderr}\n`),
  sleep: async ({ sleep: ms }) => void (await sleep(ms)),
  /** Waits until the test creates this file. */
  waitFor: async ({ waitFor }) => {
    while (!existsSync(waitFor)) await sleep(20);
  },
  environment: ({ environment }) => writeFileSync(environment, JSON.stringify(process.env, null, 2)),
  /** Leaves a process running; `hold`: with the agent's output open. */
  spawn: ({ spawn: command, hold = false, pidFile }, agent) => {
    const stdio = hold ? 'inherit' : 'ignore';
    const child = spawn('/bin/sh', ['-c', command], { cwd: agent.cwd, stdio });
    if (pidFile) writeFileSync(resolve(agent.cwd, pidFile), String(child.pid));
    child.unref();
  },
  /** Runs until it is killed; `ignore`: the signals that it ignores. */
  hang: async ({ ignore = [] }) => {
    for (const signal of ignore) process.on(signal, () => {});
    for (;;) await sleep(60_000);
  },
  /** Ends as the CLI does on that error: `400`, `401`, `429`, `500`, `529`, `context`, `max-turns`. */
  fail: ({ fail, message, retryAfterMs }, agent) => {
    agent.fail({ kind: String(fail), message, retryAfterMs });
    return true;
  },
  /** Refuses as the CLI does at a usage limit until `resetsAt`; `waits`: it then waits by itself, without a result. */
  usageLimit: ({ usageLimit }, agent) => (agent.limit(usageLimit) ? true : actions.hang({})),
  /** Ends immediately, without a final result. */
  exit: ({ exit }) => {
    process.exitCode = exit;
    return true;
  },
};

/** Returns true if the run has ended. */
export async function performAction(act, agent) {
  const name = Object.keys(actions).find(
    (key) => key in act && (key !== 'say' || Object.keys(act).length === 1),
  );
  if (!name) throw new Error(`the script has an unknown action: ${JSON.stringify(act)}`);
  return (await actions[name](act, agent)) === true;
}

function editFile(agent, tool, work) {
  const path = resolve(agent.cwd, tool.path);
  if (agent.hasTurnLimit()) return agent.tool(tool);
  const isDenied = !agent.mayWrite(path);
  if (!isDenied) work(path);
  return agent.tool({ ...tool, path, isDenied, output: isDenied ? 'permission denied' : 'done' });
}

function runShell(agent, command, say) {
  const tool = { name: 'Bash', command, say };
  if (agent.hasTurnLimit()) return agent.tool(tool);
  if (!agent.mayRun()) return agent.tool({ ...tool, isDenied: true, output: 'permission denied' });
  try {
    const stdio = ['ignore', 'pipe', 'pipe'];
    const output = execFileSync('/bin/sh', ['-c', command], { cwd: agent.cwd, stdio }).toString();
    return agent.tool({ ...tool, output, exitCode: 0 });
  } catch (error) {
    return agent.tool({
      ...tool,
      output: `${error.stdout ?? ''}${error.stderr ?? ''}`,
      exitCode: error.status ?? 1,
    });
  }
}

function commitCommand(message) {
  const identity = '-c user.name=Agent -c user.email=agent@example.com';
  return `git add -A && git ${identity} commit -q -m '${message.replaceAll("'", `'\\''`)}'`;
}
