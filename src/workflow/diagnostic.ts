/** One fault of a workflow file. Offsets inside; lines and columns only at the rim (`render`). */
export interface Diagnostic {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** What is wrong and what to do. */
  readonly message: string;
  /** Offsets into the text of the file, end not included. */
  readonly start: number;
  readonly end: number;
}
