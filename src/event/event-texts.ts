/** The texts of a pull request, an issue or a comment, as payloads and the API contain them. Pure. */
import { textAt, valueAt } from '../security/trust.js';
import { cleanCode, cleanLine, cleanMarkdown } from './clean-text.js';

/** Field → value. A field that the source does not contain is absent. */
export type EventTexts = Readonly<Partial<Record<string, string>>>;

/** Of a pull request or an issue. `undefined` values of `source` are absent; a body that is `null` is empty. */
export function subjectTexts(source: unknown): EventTexts {
  const labels = valueAt(source, 'labels');
  return {
    ...text('title', valueAt(source, 'title'), cleanLine),
    ...text('body', valueAt(source, 'body') === null ? '' : valueAt(source, 'body'), cleanMarkdown),
    ...text('author', authorOf(source), cleanLine),
    ...text('url', valueAt(source, 'html_url'), cleanLine),
    ...text('base', valueAt(source, 'base', 'ref'), cleanLine),
    ...text('head', valueAt(source, 'head', 'ref'), cleanLine),
    ...(Array.isArray(labels) ? { labels: labels.flatMap(labelText).join(', ') } : {}),
  };
}

/** Of a comment on an issue, a line or a commit, or of a review, which has no place. */
export function commentTexts(source: unknown): EventTexts {
  const line = valueAt(source, 'line') ?? valueAt(source, 'original_line');
  return {
    ...text('body', valueAt(source, 'body') ?? '', cleanMarkdown),
    ...text('author', authorOf(source), cleanLine),
    ...text('path', valueAt(source, 'path'), cleanLine),
    ...text('line', typeof line === 'number' ? String(line) : undefined, cleanLine),
    ...text('diff_hunk', valueAt(source, 'diff_hunk'), cleanCode),
  };
}

/** The login. The author of a deleted account is `ghost`, as GitHub shows it. */
function authorOf(source: unknown): string | undefined {
  const user = valueAt(source, 'user');
  return user === null ? 'ghost' : textAt(user, 'login');
}

function labelText(label: unknown): readonly string[] {
  const name = typeof label === 'string' ? label : textAt(label, 'name');
  return name === undefined ? [] : [cleanLine(name)];
}

function text(field: string, value: unknown, clean: (text: string) => string): EventTexts {
  return typeof value === 'string' ? { [field]: clean(value) } : {};
}
