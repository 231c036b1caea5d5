/**
 * A stand-in for the agent CLIs: it has the same command lines, event streams, session files and exit codes as far as
 * the action uses them. The test scripts the actions of the agent. `main(name)` is one process of the CLI `name`.
 *
 * RIG1 A resumed session is really read from its file: the stand-in knows only what was restored.
 * RIG2 Each call writes one line to the calls file before it prints anything, even a refused call.
 * Facts about the CLIs come from real runs of the versions named in each `*.mjs` next to this file.
 */

import { performAction } from './actions.mjs';
import { createAgent } from './agent-run.mjs';
import { lockSession, recordCall, ruleFor } from './calls.mjs';

/** Name of the program → module; one row per provider. */
const modules = {
  claude: './claude.mjs',
  codex: './codex.mjs',
  gemini: './gemini.mjs',
  qwen: './qwen.mjs',
  opencode: './opencode.mjs',
  'cursor-agent': './cursor.mjs',
};

export async function main(name) {
  const stdin = readStdin;
  await runCli(name, {
    argv: process.argv.slice(2),
    stdin,
    enter: (work) => work(),
    ruleOf: ruleFor,
    performAction,
  });
}

/**
 * One run of the CLI `name` in any process. `enter` runs everything that reads the process (its variables, directory
 * and output) without waiting in between.
 */
export async function runCli(name, { argv, stdin, enter, ruleOf, performAction }) {
  const cli = (await import(modules[name])).default;
  if (argv[0] === '--version' || argv[0] === '-v') return enter(() => print(cli.version));
  if (enter(() => cli.runSideCommand?.(argv))) return;
  const prompt = { text: await stdin() };
  const call = enter(() => {
    const request = catchRefusal(() => cli.parse(argv, prompt));
    const opened = request.refusal ? request : catchRefusal(() => cli.open(request));
    return { request, opened, noted: recordCall(cli.id, argv, prompt.text, request, opened) };
  });
  const { request, opened, noted } = call;
  if (opened.refusal) return enter(() => refuse(opened.refusal));
  const rule = await ruleOf(noted);
  const [release, agent] = enter(() => [
    lockSession(cli.id, opened.id),
    createAgent(cli, request, opened, prompt.text, rule),
  ]);
  await run(agent, rule, enter, performAction);
  enter(release);
}

async function run(agent, rule, enter, performAction) {
  for (const act of rule.before ?? []) if (await enter(() => performAction(act, agent))) return;
  enter(agent.begin);
  for (const act of rule.do ?? []) if (await enter(() => performAction(act, agent))) return;
  enter(agent.finish);
  for (const act of rule.after ?? []) if (await enter(() => performAction(act, agent))) return;
}

/** A refusal is thrown as `{ refusal: { code, stdout?, stderr? } }`; every other error is an error of the rig. */
function catchRefusal(work) {
  try {
    return work();
  } catch (error) {
    if (error?.refusal) return error;
    throw error;
  }
}

function refuse({ code, stdout, stderr }) {
  if (stdout) print(stdout);
  if (stderr) process.stderr.write(`${stderr}\n`);
  process.exitCode = code;
}

function print(text) {
  process.stdout.write(`${text}\n`);
}

async function readStdin() {
  const chunks = [];
  if (process.stdin.isTTY) return '';
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
