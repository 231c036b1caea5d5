/**
 * Workflow commands as text: the lines with which a step gives the runner commands. Pure.
 *
 * `@actions/core` writes the same lines, but through `process.stdout`, which is silenced while the cache
 * client prints its progress. A warning of the action would be lost there, so the log writes the lines itself.
 */

export type Annotation = 'error' | 'warning' | 'notice';

/** The title of an annotation, and the place in a file at which it is shown. Lines and columns count from 1. */
export interface AnnotationLocation {
  /** Relative to the repository root. Absent: it is about the job. */
  readonly file?: string;
  readonly line?: number;
  /** The last line of the place. Absent: `line`. */
  readonly endLine?: number;
  readonly column?: number;
  readonly title?: string;
}

/** An annotation; the message may have several lines. The text ends with a line end. */
export function annotation(kind: Annotation, message: string, location?: AnnotationLocation): string {
  const properties =
    location === undefined
      ? {}
      : {
          file: location.file,
          line: location.line,
          endLine: location.endLine ?? location.line,
          col: location.column,
          title: location.title,
        };
  return command(kind, message, properties);
}

/** One workflow command with its line end. Properties without a value are omitted. */
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
 * Whether the runner could read a line as a command. It has two forms: `::name::` at the start, after optional
 * blanks, and `##[name]` anywhere (actions/runner, `ActionCommand.TryParseV2` and `TryParse`).
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
