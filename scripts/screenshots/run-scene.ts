/** One scene on machines of its own, through `dist/`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SceneJob, SummaryScene } from '../../test/action/summary-scenes.js';
import { createMachine } from '../../test/rig/machine.js';
import { makeRepository, type Repository } from '../../test/rig/repository.js';
import { installStandIn } from '../../test/rig/stand-in.js';

/** The summary of its last job attempt. */
export async function runScene({ workflow, files, jobs }: SummaryScene): Promise<string> {
  const outside = mkdtempSync(join(tmpdir(), 'gump-screenshots-'));
  const repository = await makeRepository({ ...files, '.gump/workflows/flow.yaml': workflow });
  let summary = '';
  try {
    for (const job of jobs) summary = await runSceneJob(job, repository, outside);
    return summary;
  } finally {
    await repository.remove();
    rmSync(outside, { recursive: true, force: true });
  }
}

async function runSceneJob(
  { rules, inputs, ...job }: SceneJob,
  repository: Repository,
  outside: string,
): Promise<string> {
  const machine = await createMachine();
  try {
    await machine.checkout(repository);
    const standIn = await installStandIn(machine, { callsFile: join(outside, 'calls.jsonl') });
    await standIn.script(rules);
    const { main } = await machine.runStep({
      ...job,
      inputs: { workflow: 'flow', 'state-store': `directory:${join(outside, 'state')}`, ...inputs },
      env: {
        ANTHROPIC_API_KEY: 'sk-ant-no-real-key-0123456789abcdef',
        OPENAI_API_KEY: 'sk-no-real-key-0123456789abcdef',
      },
    });
    return main.summary;
  } finally {
    await machine.wipe();
  }
}
