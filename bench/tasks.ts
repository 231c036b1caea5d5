/** Runs a split step with 200 parallel tasks through the built action. Measures memory and the time to read the journal. */
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as Journal from '../src/journal/journal.js';
import type * as Fold from '../src/journal/run-state.js';
import type * as Place from '../src/plan/placed-step.js';
import type * as Plans from '../src/plan/plan.js';
import type * as Reuse from '../src/plan/reuse.js';
import type * as Load from '../src/workflow/load.js';
import { createMachine, type Machine } from '../test/rig/machine.js';
import { makeRepository } from '../test/rig/repository.js';
import { agentScript, prepareHome } from './agent-script.js';

const tasks = Array.from({ length: 200 }, (_, index) => ({
  name: `task-${index}`,
  description: `Do part ${index} of the work.`,
  files: [`src/part-${index}/**`],
}));

const workflow = `name: tasks
steps:
  - name: build
    type: split
    parallel: true
    agent: claude-haiku
    prompt: Plan the work.
    gate: [schema]
    each:
      - {name: tests, type: code, agent: claude-haiku, prompt: "Tests of {task.name}.", gate: [{bash: "true"}]}
      - {name: impl, type: code, agent: claude-haiku, session: {from: tests}, prompt: "Code of {task.name}."}
`;

export interface TasksResult {
  /** Peak resident memory of the action's own process. */
  readonly megabytes: number;
  /** Checking the workflow and planning it, in milliseconds. */
  readonly planMs: number;
  /** Reading the journal of the whole run, folding it, and deciding which results to reuse. */
  readonly journalMs: number;
  readonly journalMegabytes: number;
}

/** `source`: the folder of the compiled sources. */
export async function measureTasks(source: string): Promise<TasksResult> {
  const repository = await makeRepository({ '.gump/workflows/bench.yaml': workflow, 'README.md': 'bench\n' });
  const machine = await createMachine({});
  try {
    await machine.checkout(repository);
    await machine.install('claude', plannerScript);
    await prepareHome(machine.home);
    const journal = await runTasks(machine);
    return { megabytes: peakMegabytes, ...(await readBack(source, journal)) };
  } finally {
    await machine.wipe();
    await repository.remove();
  }
}

/** The program of the benchmark for new and resumed sessions. It writes the plan in the checkout, and a new file in other worktrees. */
const plannerScript = agentScript
  .replace('--session-id ]', '--session-id ] && [ "$1" != --resume ]')
  .replace('sleep 0.1\n', '')
  .replace(
    'echo "$id" >>changed.txt',
    `case "$PWD" in *gump_units*) echo "$$" >>"$id.txt" ;; *) cat >.gump/out/plan.json <<'PLAN'
${JSON.stringify(tasks)}
PLAN
;; esac`,
  );

let peakMegabytes = 0;

async function runTasks(machine: Machine): Promise<string> {
  const job = await machine.startJob({});
  const sampling = setInterval(() => void samplePeakMemory(machine), 200);
  const main = await job.runStep({
    inputs: { workflow: 'bench', 'state-store': `directory:${machine.root}/state` },
    env: { ANTHROPIC_API_KEY: 'sk-ant-no-real-key-0123456789abcdef' },
  });
  clearInterval(sampling);
  if (main.exitCode !== 0) throw new Error(main.masked.slice(-4000));
  const [file = ''] = globSync(join(machine.temp, 'gump-*/journal.ndjson'));
  const journal = await readFile(file, 'utf8');
  await job.finish();
  return journal;
}

async function samplePeakMemory(machine: Machine): Promise<void> {
  for (const pid of await machine.processes()) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!command.includes('dist/index.js')) continue;
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const kilobytes = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
    peakMegabytes = Math.max(peakMegabytes, kilobytes / 1024);
  }
}

async function readBack(source: string, journal: string) {
  const importFrom = <T>(path: string): Promise<T> => import(join(source, path)) as Promise<T>;
  const { foldEvents } = await importFrom<typeof Fold>('journal/run-state.js');
  const { parseJournal } = await importFrom<typeof Journal>('journal/journal.js');
  const { expandPlan } = await importFrom<typeof Place>('plan/placed-step.js');
  const { makePlan } = await importFrom<typeof Plans>('plan/plan.js');
  const { decideReuse } = await importFrom<typeof Reuse>('plan/reuse.js');
  const { loadWorkflow } = await importFrom<typeof Load>('workflow/load.js');
  const started = performance.now();
  const { workflow: checked } = loadWorkflow({ source: 'bench.yaml', text: workflow }, undefined, {});
  if (checked === undefined) throw new Error('The workflow of the benchmark has errors.');
  const plan = makePlan(checked, { vars: {} });
  const planned = performance.now();
  const state = foldEvents(parseJournal(journal));
  const reuse = decideReuse({
    plan,
    state,
    job: '',
    jobAttempt: 2,
    startDifferences: new Map(),
  });
  const read = performance.now();
  if (expandPlan(plan, state).length !== 401 || reuse.dropped.length > 0)
    throw new Error('The journal was not read completely.');
  return { planMs: planned - started, journalMs: read - planned, journalMegabytes: journal.length / 1e6 };
}
