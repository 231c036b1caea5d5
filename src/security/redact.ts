/**
 * Takes secrets out of texts that people will read: a secret as a whole, in base64 at any alignment, and any
 * piece of it of 12 characters or more (an agent that was talked into printing a key drops its first few
 * characters, so that a search for the whole value finds nothing).
 *
 * How: every run of 12 characters of every form of every secret is put into a set; a text is walked once, with
 * a rolling hash in front of the set, so that a text without secrets costs some nanoseconds a character.
 *
 * R1 Time is linear in the text, whatever the number of secrets.
 * R2 Which values are secrets is decided in `secrets.ts`; here, values under 16 characters are left alone,
 *    because their pieces would be found everywhere.
 */

/** Takes the secrets out of a text. */
export type Redactor = (text: string) => string;

/** The shortest value that is taken for a secret. */
export const minRedactedLength = 16;
/** The shortest piece of a secret that is taken out. */
export const minPieceLength = 12;

const replacement = '***';
const multiplier = 0x01000193;
const filterBits = 18;

/** Makes the function that replaces each stretch of secret by `***`. */
export function createRedactor(secrets: readonly string[]): Redactor {
  const pieces = new Set<string>();
  for (const secret of secrets) addPieces(secret, pieces);
  if (pieces.size === 0) return (text) => text;
  const mayBePiece = filterOf(pieces);
  return (text) => cutOut(text, findPieces(text, pieces, mayBePiece));
}

/** The same with every text in it redacted, before escapes of JSON or Markdown can hide a secret. */
export function redactDeep<T>(value: T, redact: Redactor): T {
  if (typeof value === 'string') return redact(value) as T;
  if (Array.isArray(value)) return value.map((item) => redactDeep(item, redact)) as T;
  if (value instanceof Map) return new Map([...value].map((entry) => redactDeep(entry, redact))) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactDeep(item, redact)])) as T;
}

function addPieces(secret: string, pieces: Set<string>): void {
  if (secret.length < minRedactedLength) return;
  for (const form of [secret, ...base64Forms(secret)]) {
    for (let start = 0; start + minPieceLength <= form.length; start++) {
      const piece = form.slice(start, start + minPieceLength);
      // The indentation of a secret in pretty-printed JSON is no secret, and is in every other log line.
      if (piece.trim() !== '') pieces.add(piece);
    }
  }
}

/**
 * The characters of a base64 text that depend on the secret alone, for each of the three places where the
 * secret can begin within a group of three bytes; in both alphabets.
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

/** What the first character of a piece weighs in its hash, so that it can be taken out again. */
const firstWeight = Array.from({ length: minPieceLength - 1 }).reduce<number>(
  (weight) => Math.imul(weight, multiplier),
  1,
);

type Stretch = { readonly start: number; end: number };

/** The stretches of a text that consist of pieces; in order, not touching each other. */
function findPieces(
  text: string,
  pieces: ReadonlySet<string>,
  mayBePiece: (hash: number) => boolean,
): readonly Stretch[] {
  const found: Stretch[] = [];
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

function cutOut(text: string, stretches: readonly Stretch[]): string {
  if (stretches.length === 0) return text;
  let result = '';
  let from = 0;
  for (const { start, end } of stretches) {
    result += text.slice(from, start) + replacement;
    from = end;
  }
  return result + text.slice(from);
}
