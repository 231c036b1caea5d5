/** Runs the workflow of an example that re-runs others, next to a run that is due. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { failedJob, markAnnotation, storedRun } from '../resume-runs/sample-runs.js';
import { startGitHub } from '../rig/github/server.js';
import type { StoredRun } from '../rig/github/state.js';
import { createMachine, type StageResult } from '../rig/machine.js';
import type { Repository } from '../rig/repository.js';
import { exampleFolder } from './example-project.js';

interface ResumeWorkflow {
  readonly on: { readonly workflow_run: { readonly workflows: readonly string[] } };
  readonly jobs: {
    readonly resume: { readonly steps: readonly { readonly with: Readonly<Record<string, string>> }[] };
  };
}

/** The run is one of the workflow that the example waits for. */
export async function runResumeExample(
  name: string,
  git: Repository,
): Promise<{ readonly main: StageResult; readonly run: StoredRun }> {
  const file = join(exampleFolder, name, '.github/workflows/resume.yml');
  const workflow = parse(await readFile(file, 'utf8')) as ResumeWorkflow;
  const github = await startGitHub({ git });
  const run = storedRun([[failedJob([markAnnotation({ at: Date.now() - 60_000 })])]], {
    name: workflow.on.workflow_run.workflows[0] ?? '',
  });
  github.state.runs.push(run);
  const actionDirectory = join(exampleFolder, '../resume');
  const machine = await createMachine({ actionDirectory, isCompiledOnce: true });
  cleanUpAfterTest(() => machine.wipe());
  const { main } = await machine.runStep({
    apiUrl: github.url,
    event: { name: 'schedule' },
    inputs: workflow.jobs.resume.steps[0]?.with ?? {},
  });
  return { main, run };
}
