/**
 * Kills the action at each of its writes and at each phase of a checkpoint, and continues with re-runs until the run
 * ends. Runs a random share in limited time; `npm run test:crash` runs everything (CONTRIBUTING.md).
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { type CrashResult, type Kill, type Point, runScene } from './crash-run.js';
import { otherPoints, unreachedEvents } from './kill-points.js';
import { crashScenes } from './scenes.js';

/** `all`, or for how many seconds new cases start. */
const budget = process.env.GUMP_CRASH ?? '60';
const seed = Number(process.env.GUMP_CRASH_SEED ?? Math.floor(Math.random() * 1e6));
/** A part of the names of the points to kill at. */
const onlyAt = process.env.GUMP_CRASH_POINT ?? '';
const concurrency = availableParallelism() + 1;

interface Case {
  readonly scene: string;
  readonly kill: Kill;
}

it('ends the same, whenever it is killed', { timeout: 24 * 3_600_000 }, async () => {
  const names = Object.keys(crashScenes).filter((name) => (process.env.GUMP_CRASH_SCENE ?? name) === name);
  const whole = new Map<string, CrashResult>();
  await runAll(names, async (name) => void whole.set(name, await run(name)));
  const recorded = [...whole.values()].flatMap(({ points }) => points);
  if (process.env.GUMP_CRASH_SCENE === undefined) expectEveryPointNamed(recorded);
  for (const [name, { outcome, sessionsLost }] of whole) {
    const { status = 'passed', published = [] } = crashScenes[name] ?? {};
    expect({ name, ...outcome, sessionsLost }).toMatchObject({ status, published, sessionsLost: [] });
  }

  const cases = mix(
    [...whole]
      .flatMap(([scene, { points }]) => casesOf(scene, points))
      .filter(({ kill }) => kill.name.includes(onlyAt)),
  );
  const end = budget === 'all' ? Number.POSITIVE_INFINITY : Date.now() + Number(budget) * 1000;
  const counts = {
    cases: 0,
    killed: 0,
    stepsRunTwice: 0,
    sessionsLost: 0,
    differentOutcome: 0,
    agentsLeft: 0,
  };
  const problems: string[] = [];
  await runAll(cases, async (one) => {
    if (Date.now() > end) return;
    const result = await run(one.scene, one.kill);
    const isDifferent = JSON.stringify(result.outcome) !== JSON.stringify(whole.get(one.scene)?.outcome);
    counts.cases += 1;
    counts.killed += result.isKilled ? 1 : 0;
    counts.stepsRunTwice += result.stepsRunTwice.length;
    counts.sessionsLost += result.sessionsLost.length;
    counts.agentsLeft += result.agentsLeft.length;
    counts.differentOutcome += isDifferent ? 1 : 0;
    const found = [
      ...result.stepsRunTwice,
      ...result.sessionsLost,
      ...result.agentsLeft,
      ...(isDifferent ? [`ended as ${JSON.stringify(result.outcome)}`] : []),
    ];
    print(
      `${found.length === 0 ? 'ok' : 'FAILED'} ${describeCase(one)}${found.map((text) => `\n  ${text}`).join('')}`,
    );
    problems.push(...found.map((text) => `${describeCase(one)}: ${text}`));
  });
  print(`${cases.length} cases, seed ${seed}: ${JSON.stringify(counts)}`);
  expect(problems).toEqual([]);
  expect(counts.killed).toBeGreaterThan(0);
});

function run(scene: string, kill?: Kill): Promise<CrashResult> {
  const found = crashScenes[scene];
  if (found === undefined) throw new Error(`There is no scene ${scene}.`);
  return runScene(found, kill);
}

/** Every write of the scenes has a point, and every event of the code is written in a scene. */
function expectEveryPointNamed(recorded: readonly Point[]): void {
  const names = new Set(recorded.map(({ name }) => name));
  const source = readFileSync(new URL('../../src/journal/event.ts', import.meta.url), 'utf8');
  const events = [...source.matchAll(/^ {2}readonly type: '([a-z-]+)';$/gm)].flatMap(
    ([, type]) => type ?? [],
  );
  expect(events.length).toBeGreaterThan(15);
  const reached = events
    .filter((type) => unreachedEvents[type] === undefined)
    .map((type) => `journal: ${type}`);
  const known = [...otherPoints, ...reached];
  expect([...names].sort()).toEqual(known.sort());
}

/** After each point. A request is also killed before it is sent: then the service has not got it. */
function casesOf(scene: string, points: readonly Point[]): readonly Case[] {
  return points.flatMap((point) =>
    (['post', 'lost'] as const).flatMap((then): readonly Case[] => {
      const after: Case = { scene, kill: { ...point, moment: 'after', then } };
      return point.name.startsWith('request:')
        ? [{ scene, kill: { ...after.kill, moment: 'before' } }, after]
        : [after];
    }),
  );
}

function describeCase({ scene, kill: { stage, name, number, moment, then } }: Case): string {
  return `${scene}: ${stage} killed ${moment} "${name}" ${number}, ${then === 'post' ? 'then post' : 'machine lost'}`;
}

async function runAll<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

/** In random order, but first one case of every name: some names are a hundred times as frequent as others. */
function mix(cases: readonly Case[]): readonly Case[] {
  const random = createRandom();
  const shuffled = cases
    .map((item) => ({ item, order: random() }))
    .sort((one, other) => one.order - other.order)
    .map(({ item }) => item);
  const seen = new Map<string, number>();
  const rounds = shuffled.map((item) => {
    const round = seen.get(item.kill.name) ?? 0;
    seen.set(item.kill.name, round + 1);
    return { item, round };
  });
  return rounds.sort((one, other) => one.round - other.round).map(({ item }) => item);
}

/** The same numbers for the same seed (mulberry32). */
function createRandom(): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
