/**
 * The one JSON value in a file that an agent wrote. Models put it into a code fence or write a sentence before or
 * after it, although the prompt asks for JSON only. Pure.
 */

/** What is read: an object (a verdict), or an array of objects (a plan). */
export type AnswerShape = 'object' | 'array';

/** The value, or `undefined` if the text has none of this shape, or more than one. */
export function parseAnswer(text: string, shape: AnswerShape): unknown {
  const whole = parseJson(text.replace(/^\uFEFF/, ''));
  if (whole !== undefined) return whole;
  const found = valuesIn(text, shape);
  // Two verdicts, such as a quoted example and the real one: which of them counts is unknown.
  return found.length === 1 ? found[0] : undefined;
}

/** A sentence that quotes the first line of a text that is not what was expected. */
export function quoteFirstLine(text: string): string {
  const line = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .find((one) => one.trim() !== '');
  if (line === undefined) return 'The file is empty.';
  const words = line.trim();
  return `It starts with: ${words.length > maxQuoted ? `${words.slice(0, maxQuoted - 1)}…` : words}`;
}

const maxQuoted = 200;

/** The values of the shape that stand in the text next to each other, not within each other. */
function valuesIn(text: string, shape: AnswerShape): readonly unknown[] {
  const opening = shape === 'object' ? '{' : '[';
  const found: unknown[] = [];
  // A text with very many brackets is no answer, and each of them costs a search for its end.
  let searches = 0;
  for (let start = text.indexOf(opening); start !== -1 && searches < maxSearches; searches += 1) {
    const end = endOfValue(text, start);
    const value = end === undefined ? undefined : parseJson(text.slice(start, end));
    const isFound = value !== undefined && hasShape(value, shape);
    if (isFound) found.push(value);
    start = text.indexOf(opening, isFound && end !== undefined ? end : start + 1);
  }
  return found;
}

const maxSearches = 200;

/** A list like `[1]` or `[ ]` in a sentence is a reference or a box to tick. */
function hasShape(value: unknown, shape: AnswerShape): boolean {
  if (shape === 'object') return isObject(value);
  return Array.isArray(value) && value.length > 0 && value.every(isObject);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The position after the bracket that closes the one at `start`. Brackets in strings do not count. */
function endOfValue(text: string, start: number): number | undefined {
  let depth = 0;
  let isInString = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (isInString) {
      if (character === '\\') at += 1;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
