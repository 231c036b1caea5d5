/**
 * Removes secrets from texts that people read: a whole secret, its base64 form at any alignment, its forms in URLs,
 * in JSON and as hexadecimal digits, and any piece of 12 characters or more. Pieces count because a manipulated agent may print a key without its first
 * characters, so that a search for the whole value finds nothing.
 *
 * All pieces of 12 characters, of every form of every secret, are in one set. A text is read once. A rolling
 * hash is checked before the set, so that a text without secrets costs a few nanoseconds per character.
 *
 * REDACT1 The time is linear in the length of the text, whatever the number of secrets.
 * REDACT2 `job-secrets.ts` decides which values are secrets. Values with fewer than 16 characters are ignored
 *         here, because their pieces are in too many texts.
 */

/** Returns the text without secrets. */
export type Redactor = (text: string) => string;

/** The shortest value that is redacted, in characters. */
export const minRedactedLength = 16;
/** The shortest piece of a secret that is redacted, in characters. */
const minPieceLength = 12;

const replacement = '***';
const multiplier = 0x01000193;
const filterBits = 20;

/** Returns a function that replaces each secret, or part of one, by `***`. */
export function createRedactor(secrets: readonly string[]): Redactor {
  const pieces = new Set<string>();
  for (const secret of secrets) addPieces(secret, pieces);
  if (pieces.size === 0) return (text) => text;
  const mayBePiece = filterOf(pieces);
  return (text) => replaceRanges(text, findPieces(text, pieces, mayBePiece));
}

/** Redacts every text in a value. Do this before JSON or Markdown escapes can hide a secret. */
export function redactDeep<T>(value: T, redact: Redactor): T {
  if (typeof value === 'string') return redact(value) as T;
  if (Array.isArray(value)) return value.map((item) => redactDeep(item, redact)) as T;
  if (value instanceof Map) return new Map([...value].map((entry) => redactDeep(entry, redact))) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactDeep(item, redact)])) as T;
}

function addPieces(secret: string, pieces: Set<string>): void {
  if (secret.length < minRedactedLength) return;
  for (const form of formsOf(secret)) {
    for (let start = 0; start + minPieceLength <= form.length; start++) {
      const piece = form.slice(start, start + minPieceLength);
      // Indentation in a JSON secret is not secret, and many log lines contain it.
      if (piece.trim() !== '') pieces.add(piece);
    }
  }
}

/** The secret and the forms in which programs print it. */
function formsOf(secret: string): ReadonlySet<string> {
  const hex = Buffer.from(secret, 'utf8').toString('hex');
  return new Set([
    secret,
    ...base64Forms(secret),
    ...urlForms(secret),
    ...jsonForms(secret),
    hex,
    hex.toUpperCase(),
  ]);
}

/** As JavaScript encodes a part of a URL, as Python does (`/` stays), as forms do, and with every sign encoded. */
function urlForms(secret: string): readonly string[] {
  // Not `encodeURIComponent`, which throws for half of a surrogate pair.
  const encode = (kept: RegExp) =>
    Array.from(secret, (sign) =>
      kept.test(sign)
        ? sign
        : Buffer.from(sign, 'utf8').toString('hex').toUpperCase().replaceAll(/../g, '%$&'),
    ).join('');
  const forms = [encode(/[\w.~!*'()-]/), encode(/[\w.~/-]/), encode(/[\w.~-]/)];
  const all = [...forms, ...forms.map((form) => form.replaceAll('%20', '+'))];
  return [...all, ...all.map((form) => form.replaceAll(/%../g, (code) => code.toLowerCase()))];
}

/** As most programs escape a text in JSON, as PHP does (`\/`), as Go does (`\u0026`), and with ASCII only. */
function jsonForms(secret: string): readonly string[] {
  const form = JSON.stringify(secret).slice(1, -1);
  const code = (sign: string) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: everything that is not ASCII.
  const ascii = form.replaceAll(/[^\u0000-\u007f]/g, code);
  return [form, ascii, form.replaceAll('/', '\\/'), form.replaceAll(/[<>&]/g, code)];
}

/**
 * The base64 characters that depend only on the secret, in both alphabets. There is one form for each position
 * at which the secret can begin within a group of three bytes.
 */
function base64Forms(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const forms = [0, 1, 2].map((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
    const first = Math.ceil((offset * 8) / 6);
    const end = Math.floor((padded.length * 8) / 6);
    return padded.toString('base64').slice(first, end);
  });
  return [...forms, ...forms.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
}

function filterOf(pieces: ReadonlySet<string>): (hash: number) => boolean {
  const bits = new Uint32Array(1 << (filterBits - 5));
  for (const piece of pieces) {
    const slot = slotOf(hashOf(piece));
    bits[slot >>> 5] = (bits[slot >>> 5] ?? 0) | (1 << (slot & 31));
  }
  return (hash) => {
    const slot = slotOf(hash);
    return ((bits[slot >>> 5] ?? 0) & (1 << (slot & 31))) !== 0;
  };
}

function slotOf(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> (32 - filterBits);
}

function hashOf(piece: string): number {
  let hash = 0;
  for (let at = 0; at < piece.length; at++) hash = (Math.imul(hash, multiplier) + piece.charCodeAt(at)) | 0;
  return hash;
}

/** The factor of a piece's first character in its hash, used to remove that character from the hash. */
const firstWeight = Array.from({ length: minPieceLength - 1 }).reduce<number>(
  (weight) => Math.imul(weight, multiplier),
  1,
);

type Range = { readonly start: number; end: number };

/** The ranges of a text that consist of pieces, in order and without overlaps. */
function findPieces(
  text: string,
  pieces: ReadonlySet<string>,
  mayBePiece: (hash: number) => boolean,
): readonly Range[] {
  const found: Range[] = [];
  let hash = hashOf(text.slice(0, minPieceLength - 1));
  for (let end = minPieceLength; end <= text.length; end++) {
    const start = end - minPieceLength;
    hash = (Math.imul(hash, multiplier) + text.charCodeAt(end - 1)) | 0;
    if (mayBePiece(hash) && pieces.has(text.slice(start, end))) {
      const last = found.at(-1);
      if (last !== undefined && start <= last.end) last.end = end;
      else found.push({ start, end });
    }
    hash = (hash - Math.imul(text.charCodeAt(start), firstWeight)) | 0;
  }
  return found;
}

function replaceRanges(text: string, ranges: readonly Range[]): string {
  if (ranges.length === 0) return text;
  let result = '';
  let from = 0;
  for (const { start, end } of ranges) {
    result += text.slice(from, start) + replacement;
    from = end;
  }
  return result + text.slice(from);
}
