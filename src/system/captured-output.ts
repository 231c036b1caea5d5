/**
 * Keeps the output of a library out of the log. `@actions/cache` writes commands, progress and warnings to the
 * standard output of the process and has no setting for it. The async context separates its output from other output,
 * even if both are written at the same time. This includes handlers of a child process's output (`@actions/exec`),
 * because they run in the context in which the child was started.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface Captured<T> {
  readonly value: T;
  /** Everything that was printed before `value` was available. */
  readonly output: string;
}

interface Capture {
  readonly chunks: string[];
  readonly isShown: boolean;
  /** Values that the library asked the runner to mask. */
  readonly secrets: Set<string>;
}

type Write = typeof process.stdout.write;

const captures = new AsyncLocalStorage<Capture>();
const filtered = new WeakSet<NodeJS.WriteStream>();

/**
 * Runs `work` and returns its output, which is not in the log unless `isShown`. Output after the end of `work` is
 * dropped as well. Values that `work` asks to mask (`::add-mask::`, for the signatures in URLs of the service) are
 * masked here in all its output. The command itself is not passed on: while the action prints an agent's text, the
 * runner accepts no commands and would show the value.
 */
export async function captureOutput<T>(work: () => Promise<T>, isShown: boolean): Promise<Captured<T>> {
  filter(process.stdout);
  filter(process.stderr);
  const capture: Capture = { chunks: [], isShown, secrets: new Set() };
  const value = await captures.run(capture, work);
  return { value, output: capture.chunks.join('') };
}

// The filter is never removed, because removal could undo a later wrapper of `write`.
function filter(stream: NodeJS.WriteStream): void {
  if (filtered.has(stream)) return;
  filtered.add(stream);
  const write = stream.write.bind(stream) as Write;
  stream.write = ((chunk: string | Uint8Array, ...rest: never[]) => {
    const capture = captures.getStore();
    if (capture === undefined) return write(chunk, ...rest);
    const text = mask(
      typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'),
      capture.secrets,
    );
    capture.chunks.push(text);
    if (capture.isShown) return write(text as never, ...rest);
    const done: unknown = rest.at(-1);
    if (typeof done === 'function') process.nextTick(done as () => void);
    return true;
  }) as Write;
}

function mask(text: string, secrets: Set<string>): string {
  const maskCommand = /^::add-mask::(.*)\r?\n?/gm;
  for (const [, secret = ''] of text.matchAll(maskCommand)) if (secret !== '') secrets.add(secret);
  return [...secrets].reduce(
    (rest, secret) => rest.replaceAll(secret, '***'),
    text.replaceAll(maskCommand, ''),
  );
}
