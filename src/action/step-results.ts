/** Passes the results of the step to the runner. If that fails, the run counts as it ended, with a warning. */
import type { Log } from '../report/log.js';
import type { StepFiles } from '../security/step-files.js';

export interface StepResults {
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** May be called again when more is known. */
export function writeStepResults(
  { outputs, summary }: StepResults,
  stepFiles: StepFiles,
  log: Pick<Log, 'warning'>,
): void {
  const outputProblem = problemOf(() => {
    for (const [name, value] of Object.entries(outputs)) stepFiles.setOutput(name, value);
  });
  if (outputProblem !== undefined)
    log.warning(
      `The outputs of this step could not be written (${outputProblem}). They are empty for later steps. Check what the runner user may write below RUNNER_TEMP.`,
    );
  const summaryProblem = problemOf(() => stepFiles.setSummary(summary));
  if (summaryProblem !== undefined)
    log.warning(
      `The job summary could not be written (${summaryProblem}). The report contains the same facts. Check what the runner user may write below RUNNER_TEMP.`,
    );
}

function problemOf(write: () => void): string | undefined {
  try {
    write();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
