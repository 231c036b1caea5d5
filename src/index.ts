/**
 * The entry of both phases. The first line of the log is printed before anything heavy is evaluated; then
 * `main` starts itself anew, without the job's secrets in its readable environment (`clean-process.ts`).
 */
import { enterMain, enterPost, isPost, sayHello } from './entry.js';
import { adoptEnvironment, cleanProcess } from './security/clean-process.js';

if (isPost(process.env, process.argv[1])) {
  await enterPost();
} else {
  if (!adoptEnvironment()) {
    sayHello(process.env);
    if (process.env.RUNNER_TEMP) cleanProcess({ directory: process.env.RUNNER_TEMP, debug: () => undefined });
  }
  await enterMain();
}
