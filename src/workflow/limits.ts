/**
 * The limits of the language: one row each. The schema, the builder, the enforcement in `engine/limits` and the
 * dry-run read this table, so a new limit is one new row.
 */
import { readAmount, readCount, readTime } from './numbers.js';

export type LimitUnit = 'turns' | 'tokens' | 'dollars' | 'milliseconds';

interface UnitSyntax {
  /** `undefined` if the value is not an amount of this unit. */
  read(value: unknown): number | undefined;
  /** The end of the message about a value that cannot be read. */
  readonly expected: string;
  /** For the JSON schema. */
  readonly json: object;
}

const numberJson = { type: ['number', 'string'], minimum: 0, pattern: '^\\s*\\d+(\\.\\d+)?\\s*$' };
const countSyntax: UnitSyntax = {
  read: readCount,
  expected: 'must be a whole number, 0 or more',
  json: numberJson,
};

/** How the workflow file writes an amount of each unit. */
export const unitSyntax: Readonly<Record<LimitUnit, UnitSyntax>> = {
  turns: countSyntax,
  tokens: countSyntax,
  dollars: { read: readAmount, expected: 'must be a number of dollars', json: numberJson },
  milliseconds: {
    read: readTime,
    expected: 'must be a duration such as `90s`, `30m` or `1h30m`, at most one year',
    json: { type: 'string', pattern: '^\\s*((\\d+\\.?\\d*|\\.\\d+)(h|ms|m|s))+\\s*$' },
  },
};

/** Where a limit is written: in the `guard` of a step, or at the top of a workflow. */
export type LimitPlace = 'guard' | 'budget';

/** Keys of the workflow file and what each one means. If there are several, the first one is used in messages. */
type LimitKeys = Readonly<Record<string, string>>;

interface LimitRow {
  readonly unit: LimitUnit;
  readonly guard: LimitKeys;
  /** Absent: not a limit of a whole workflow. */
  readonly budget?: LimitKeys;
  /** Zero has a meaning. Otherwise it is written for no limit. */
  readonly keepsZero?: true;
}

/** By the field of `Guard` and `Budget`, in the order in which limits are checked and shown. */
export const limitTable = {
  maxTurns: {
    unit: 'turns',
    guard: { max_turns: 'Maximum number of turns in one attempt.' },
  },
  maxTokens: {
    unit: 'tokens',
    guard: { max_tokens: 'Maximum number of tokens in one attempt, input and output together.' },
    budget: { max_tokens: 'Maximum number of tokens of the whole run, input and output together.' },
  },
  maxUsd: {
    unit: 'dollars',
    guard: { max_budget: 'Maximum cost of one attempt, in US dollars.' },
    budget: { max_budget: 'Maximum cost of the whole run, in US dollars.' },
  },
  maxTimeMs: {
    unit: 'milliseconds',
    guard: {
      max_time: 'Maximum time of one attempt, for example `30m`.',
      timeout: 'The same as `max_time`.',
    },
    budget: { max_timeout: 'Maximum time of the whole run, for example `1h30m`.' },
  },
  stallMs: {
    unit: 'milliseconds',
    guard: {
      stall: 'Maximum time without output from the agent. `0s`: no limit. Default: `10m`.',
    },
    keepsZero: true,
  },
} as const satisfies Readonly<Record<string, LimitRow>>;

type LimitTable = typeof limitTable;

export type LimitField = keyof LimitTable;

/** Limits on what an agent spends. `stallMs` limits its silence. */
export type SpendingField = Exclude<LimitField, 'stallMs'>;

/** Limits of one attempt, of a group or of a call. An absent one is no limit. */
export type GuardLimits = { readonly [Field in LimitField]?: number };

/** Limits of everything that a workflow does. An absent one is no limit. */
export type BudgetLimits = {
  readonly [Field in LimitField as LimitTable[Field] extends { readonly budget: LimitKeys }
    ? Field
    : never]?: number;
};

export interface PlacedLimit<Field extends LimitField = LimitField> {
  readonly field: Field;
  readonly unit: LimitUnit;
  readonly keys: LimitKeys;
  readonly keepsZero: boolean;
}

function placedLimits(place: LimitPlace): readonly PlacedLimit[] {
  return (Object.keys(limitTable) as readonly LimitField[]).flatMap((field) => {
    const row: LimitRow = limitTable[field];
    const keys = row[place];
    return keys === undefined ? [] : [{ field, unit: row.unit, keys, keepsZero: row.keepsZero === true }];
  });
}

export const limitsByPlace: Readonly<Record<LimitPlace, readonly PlacedLimit[]>> = {
  guard: placedLimits('guard'),
  budget: placedLimits('budget'),
};

export const spendingLimits: readonly PlacedLimit<SpendingField>[] = limitsByPlace.guard.filter(
  (limit): limit is PlacedLimit<SpendingField> => limit.field !== 'stallMs',
);

/** The limits of a place, read by the keys that the workflow file has there. */
export function readLimits(
  place: LimitPlace,
  readKey: (key: string) => unknown,
): Readonly<Partial<Record<LimitField, number>>> {
  return Object.fromEntries(
    limitsByPlace[place].flatMap(({ field, unit, keys, keepsZero }) => {
      const written = Object.keys(keys)
        .map(readKey)
        .find((value) => value !== undefined);
      const amount = unitSyntax[unit].read(written);
      return amount === undefined || (amount === 0 && !keepsZero) ? [] : [[field, amount] as const];
    }),
  );
}

/** The key of a limit in messages, as the workflow file writes it. */
export function limitKeyOf(place: LimitPlace, field: LimitField): string {
  const found = limitsByPlace[place].find((limit) => limit.field === field);
  return Object.keys(found?.keys ?? {})[0] ?? field;
}
