/**
 * A stand-in for the agent CLIs: the same command lines, event streams, session files and exit codes as far as the
 * action sees them, with what the agent does scripted by the test. `main(name)` is one process of the CLI `name`.
 *
 * A1 A resumed session is really read from its file: what the stand-in remembers is what was brought back.
 * A2 One line per call goes to the calls file before anything is printed, also for a call that is refused.
 * Facts about the CLIs: driven for real in the versions named in each `*.mjs` beside this file.
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
  const cli = (await import(modules[name])).default;
  const argv = process.argv.slice(2);
  if (argv[0] === '--version' || argv[0] === '-v') return print(cli.version);
  if (cli.runSideCommand?.(argv)) return;
  const prompt = { text: await readStdin() };
  const request = catchRefusal(() => cli.parse(argv, prompt));
  const opened = request.refusal ? request : catchRefusal(() => cli.open(request));
  const call = recordCall(cli.id, argv, prompt.text, request, opened);
  if (opened.refusal) return refuse(opened.refusal);
  const rule = await ruleFor(call);
  const release = lockSession(cli.id, opened.id);
  await run(createAgent(cli, request, opened, prompt.text, rule), rule);
  release();
}

async function run(agent, rule) {
  for (const act of rule.before ?? []) if (await performAction(act, agent)) return;
  agent.begin();
  for (const act of rule.do ?? []) if (await performAction(act, agent)) return;
  agent.finish();
}

/** A refusal is thrown as `{ refusal: { code, stdout?, stderr? } }`; every other error is a fault of the rig. */
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
