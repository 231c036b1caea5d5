/**
 * Workflow commands as text: what a step prints to speak to the runner. Pure.
 *
 * `@actions/core` writes the same lines, but through `process.stdout`, which is silenced while the cache
 * client prints its progress; a warning of ours must not get lost there. So the log writes them itself.
 */

export type Annotation = 'error' | 'warning' | 'notice';

/** The place in a file that an annotation is shown at. Lines and columns count from 1. */
export interface AnnotationLocation {
  /** From the repository root. */
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** An annotation with its message, of several lines at will; ends with a line end. */
export function annotation(kind: Annotation, message: string, location?: AnnotationLocation): string {
  const properties =
    location === undefined
      ? {}
      : { file: location.file, line: location.line, endLine: location.line, col: location.column };
  return command(kind, message, properties);
}

/** One workflow command, ending with a line end. Properties without a value are left out. */
export function command(
  name: string,
  message = '',
  properties: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const parts = Object.entries(properties).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [`${key}=${escapeProperty(String(value))}`],
  );
  return `::${name}${parts.length > 0 ? ` ${parts.join(',')}` : ''}::${escapeMessage(message)}\n`;
}

/**
 * Whether the runner could take a line for a command, in either of the two forms it knows: `::name::` at the
 * start after blanks, and `##[name]` anywhere (actions/runner, `ActionCommand.TryParseV2` and `TryParse`).
 */
export function couldBeCommand(line: string): boolean {
  return /^\s*::|##\[/.test(line);
}

function escapeMessage(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeMessage(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
