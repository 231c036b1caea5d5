/**
 * Measures the cost of the action, most of it as ratios within one run, so that the speed of the machine does not
 * matter. Every run of the action goes through `dist/`. The exit code is 0 if every target is met.
 */

import { betweenAgents } from './between-agents.js';
import { measuredDist } from './build.js';
import { cachedClis } from './cached-cli.js';
import { gateOutput } from './gate-output.js';
import { type Group, isMet, type Measured, tableOf } from './row.js';
import { secondAttempt } from './second-attempt.js';
import { startUp } from './start-up.js';
import { steps } from './steps.js';
import { storedBytes } from './stored-bytes.js';
import { stream } from './stream.js';
import { tasks } from './tasks.js';

const groups: readonly Group[] = [
  startUp,
  steps,
  betweenAgents,
  storedBytes,
  stream,
  gateOutput,
  tasks,
  secondAttempt,
  cachedClis,
];

/** `names`: the groups to run; all if there is none. */
export async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => groups.every((group) => group.name !== name));
  if (unknown.length > 0) {
    const known = groups.map((group) => group.name).join(', ');
    print(`Unknown groups: ${unknown.join(', ')}. Name one or more of these: ${known}.`);
    return 2;
  }
  print(`Measuring ${measuredDist}`);
  const measured: Measured[] = [];
  for (const group of groups) {
    if (names.length > 0 && !names.includes(group.name)) continue;
    const result = await group.measure();
    measured.push(result);
    print(`${group.name}: ${result.rows.length} rows measured`);
  }
  const rows = measured.flatMap((result) => result.rows);
  print(`\n${tableOf(rows)}`);
  for (const { details } of measured) if (details !== undefined) print(`\n${details}`);
  return rows.every(isMet) ? 0 : 1;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
