/** Comparable measurements: the base and the subjects are measured in turn, and the median counts. */

/** Measures one value of one round. */
export type Measure = () => Promise<number>;

export interface Comparison {
  /** Median over the rounds of subject / base, which cancels out the current speed of the machine. */
  readonly ratio: number;
  /** Medians. */
  readonly base: number;
  readonly subject: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Compares all subjects with one base. The first round is a warm-up and does not count. */
export async function compare<Name extends string>(
  rounds: number,
  base: Measure,
  subjects: Readonly<Record<Name, Measure>>,
): Promise<Readonly<Record<Name, Comparison>>> {
  const names = Object.keys(subjects) as Name[];
  const bases: number[] = [];
  const values = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    const first = await base();
    if (round > 0) bases.push(first);
    for (const name of names) {
      const value = await subjects[name]();
      if (round > 0) values.get(name)?.push(value);
    }
  }
  const entries = names.map((name) => [name, summarize(bases, values.get(name) ?? [])] as const);
  return Object.fromEntries(entries) as Record<Name, Comparison>;
}

function summarize(bases: readonly number[], subjects: readonly number[]): Comparison {
  const ratios = subjects.map((value, round) => value / (bases[round] ?? Number.NaN));
  return { ratio: median(ratios), base: median(bases), subject: median(subjects) };
}
