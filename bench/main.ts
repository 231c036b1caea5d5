/**
 * Measures the cost of the action as ratios within one run, so that the speed of the machine does not matter. The
 * exit code is 0 if every target is met.
 */
import { buildReference, compileSource } from './build.js';
import { median } from './measure.js';
import type { Phases } from './phases.js';
import { measureStartUp } from './start-up.js';
import { measureSteps, type StepsResult } from './steps.js';
import { measureStream } from './stream.js';
import { formatTable } from './table.js';
import { measureTasks } from './tasks.js';

interface Row {
  readonly measure: string;
  readonly value: number;
  /** Absent if the row is only informative. */
  readonly target?: number;
  readonly unit?: string;
}

export async function main(): Promise<number> {
  const reference = await buildReference();
  const source = await compileSource();
  const startUp = await measureStartUp(reference);
  const steps = await measureSteps();
  const stream = await measureStream(source);
  const tasks = await measureTasks(source);
  const rows: readonly Row[] = [
    {
      measure: 'start-up to the first line of the log / bundle with only core and cache',
      value: startUp.firstLine.ratio,
      target: 1.4,
    },
    { measure: 'start-up to the first line of main / the same bundle', value: startUp.main.ratio },
    { measure: '20 steps, directory store / 20 bare calls', value: steps.directory.ratio, target: 1.25 },
    { measure: '20 steps, cache on loopback / 20 bare calls', value: steps.cache.ratio, target: 1.5 },
    { measure: '115 MB of events / readline and JSON.parse', value: stream.time.ratio, target: 2 },
    {
      measure: `memory of the same (bare: ${stream.bareMegabytes.toFixed(0)} MB)`,
      value: stream.megabytes,
      target: 150,
      unit: 'MB',
    },
    { measure: '200 parallel tasks: memory', value: tasks.megabytes, target: 300, unit: 'MB' },
    { measure: 'check and plan of these tasks', value: tasks.planMs, target: 1000, unit: 'ms' },
    {
      measure: `reading their journal (${tasks.journalMegabytes.toFixed(1)} MB)`,
      value: tasks.journalMs,
      target: 1000,
      unit: 'ms',
    },
  ];
  print(formatTable([['measure', 'ratio', 'target', ''], ...rows.map(cells)]));
  print(
    `\nTime of the 20 steps by phase, in milliseconds per step (a bare call: ${perStep(steps.directory.base)}):\n`,
  );
  print(phaseTable(steps));
  return rows.every(isMet) ? 0 : 1;
}

function isMet({ value, target }: Row): boolean {
  return target === undefined || value <= target;
}

function cells(row: Row): readonly string[] {
  const { value, target, unit } = row;
  const text = unit === undefined ? value.toFixed(2) : `${value.toFixed(0)} ${unit}`;
  if (target === undefined) return [row.measure, text, '', ''];
  return [
    row.measure,
    text,
    unit === undefined ? String(target) : `${target} ${unit}`,
    isMet(row) ? 'met' : 'MISSED',
  ];
}

const phaseNames: Readonly<Record<keyof Phases, string>> = {
  startUp: 'start-up and restore',
  agent: 'agent process (spawn, 100 ms of work, end of its process group)',
  record: 'guard, snapshot, session copy',
  gates: 'gates',
  store: 'pack, seal, store',
  end: 'last checkpoint, report, summary, exit',
};

function phaseTable({ phases, directory, cache }: StepsResult): string {
  const names = Object.keys(phaseNames) as (keyof Phases)[];
  const rows = names.map((name) => [
    phaseNames[name],
    perStep(median(phases.directory.map((seen) => seen[name]))),
    perStep(median(phases.cache.map((seen) => seen[name]))),
  ]);
  const sums = ['total', perStep(directory.subject), perStep(cache.subject)];
  return formatTable([['', 'directory', 'cache'], ...rows, sums]);
}

function perStep(ms: number): string {
  return (ms / 20).toFixed(1);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
