/** The rows of the benchmark's table, and the groups that measure them. */
import { formatTable } from './table.js';

export interface Row {
  readonly measure: string;
  readonly value: number;
  /** The largest value that is good. Absent if the row is only informative. */
  readonly target?: number;
  /** Absent for a ratio. */
  readonly unit?: 'MB' | 'ms';
}

/** Rows that one measurement gives. `npm run bench -- NAME` runs only the groups with these names. */
export interface Group {
  readonly name: string;
  measure(): Promise<Measured>;
}

export interface Measured {
  readonly rows: readonly Row[];
  /** Printed below the table: where the time goes. */
  readonly details?: string;
}

export function isMet({ value, target }: Row): boolean {
  return target === undefined || value <= target;
}

export function tableOf(rows: readonly Row[]): string {
  return formatTable([['measure', 'value', 'target', ''], ...rows.map(cells)]);
}

function cells(row: Row): readonly string[] {
  const { measure, target } = row;
  if (target === undefined) return [measure, textOf(row, row.value), '', ''];
  return [measure, textOf(row, row.value), textOf(row, target), isMet(row) ? 'met' : 'MISSED'];
}

function textOf({ unit }: Row, value: number): string {
  return unit === undefined ? value.toFixed(2) : `${value.toFixed(0)} ${unit}`;
}
