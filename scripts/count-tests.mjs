/**
 * `count-tests.mjs STATUS FILE...`: adds up the JSON results of vitest and prints `N passed, N failed`. If STATUS
 * is not 0, it counts at least one failure: a stage without tests and a file that does not load have no results.
 */
import { existsSync, readFileSync } from 'node:fs';

const [status, ...files] = process.argv.slice(2);
// The shell passes on a pattern that matches no file. An interrupted run may leave an incomplete file.
const results = files.filter((file) => existsSync(file)).flatMap(read);
const sum = (name) => results.reduce((total, result) => total + (result[name] ?? 0), 0);
const failed = Math.max(sum('numFailedTests'), status === '0' ? 0 : 1);
console.log(`${sum('numPassedTests')} passed, ${failed} failed`);

function read(file) {
  try {
    return [JSON.parse(readFileSync(file, 'utf8'))];
  } catch {
    return [];
  }
}
