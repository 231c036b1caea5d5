/**
 * The entry of both phases. The first line of the log is printed before anything heavy is evaluated; then
 * `main` starts itself anew, without the job's secrets in its readable environment (`clean-process.ts`).
 */
import { isPost, printRunLine, runMain, runPost } from './entry.js';
import { restartWithCleanEnvironment, restoreEnvironment } from './security/clean-process.js';

if (isPost(process.env, process.argv[1])) {
  await runPost();
} else {
  if (!restoreEnvironment()) {
    printRunLine(process.env);
    if (process.env.RUNNER_TEMP)
      restartWithCleanEnvironment({ directory: process.env.RUNNER_TEMP, debug: () => undefined });
  }
  await runMain();
}
