/**
 * `count-tests.mjs STATUS FILE...`: adds up the JSON results of vitest and prints `N passed, N failed`. A run
 * that ended with another STATUS than 0 has one failure at least: a stage without tests, a file that does not load.
 */
import { existsSync, readFileSync } from 'node:fs';

const [status, ...files] = process.argv.slice(2);
// The shell hands on a pattern that fits no file; a run that was cut off may have left half a file.
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
