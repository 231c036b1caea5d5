/** A split step with 200 parallel tasks: memory, and the time to read the journal. */
import { join } from 'node:path';
import type * as Journal from '../src/journal/journal.js';
import type * as Fold from '../src/journal/run-state.js';
import type * as Place from '../src/plan/placed-step.js';
import type * as Plans from '../src/plan/plan.js';
import type * as Reuse from '../src/plan/reuse.js';
import type * as Load from '../src/workflow/load.js';
import { makeRepository } from '../test/rig/repository.js';
import { agentScript } from './agent-script.js';
import { onMachine, runMain } from './bench-run.js';
import { compileSource } from './build.js';
import type { Group, Measured } from './row.js';

const plan = Array.from({ length: 200 }, (_, index) => ({
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

export const tasks: Group = { name: 'tasks', measure: measureTasks };

async function measureTasks(): Promise<Measured> {
  const source = await compileSource();
  const repository = await makeRepository({ '.gump/workflows/bench.yaml': workflow, 'README.md': 'bench\n' });
  try {
    const { megabytes, journal } = await onMachine({ repository, agent: plannerScript }, (machine) =>
      runMain(machine, { store: 'directory', watchMemory: true }),
    );
    const { planMs, journalMs } = await readBack(source, journal);
    const size = (journal.length / 1e6).toFixed(1);
    return {
      rows: [
        { measure: '200 parallel tasks: memory', value: megabytes, target: 300, unit: 'MB' },
        { measure: 'check and plan of these tasks', value: planMs, target: 1000, unit: 'ms' },
        { measure: `reading their journal (${size} MB)`, value: journalMs, target: 1000, unit: 'ms' },
      ],
    };
  } finally {
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
${JSON.stringify(plan)}
PLAN
;; esac`,
  );

/** Checks and plans the workflow; reads the journal of the whole run, folds it, and decides which results to reuse. */
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
  const placed = makePlan(checked, { vars: {} });
  const planned = performance.now();
  const state = foldEvents(parseJournal(journal));
  const reuse = decideReuse({
    plan: placed,
    state,
    job: '',
    jobAttempt: 2,
    startDifferences: new Map(),
  });
  const read = performance.now();
  if (expandPlan(placed, state).length !== 401 || reuse.dropped.length > 0)
    throw new Error('The journal was not read completely.');
  return { planMs: planned - started, journalMs: read - planned };
}
