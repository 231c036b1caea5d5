/**
 * The file that the runner starts for the action in `resume/`. The process is not replaced as in `index.ts`: no agent
 * runs next to it.
 */
import { reportUncaughtErrors, startProblem } from './start.js';

reportUncaughtErrors();
const problem = startProblem(process.versions.node, process.env);
if (problem === undefined) {
  const { runResume } = await import(/* webpackIgnore: true */ './entry.js');
  await runResume({ ...process.env });
} else {
  process.stdout.write(`::error::${problem}\n`);
  process.exitCode = 1;
}
