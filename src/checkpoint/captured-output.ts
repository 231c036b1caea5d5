/**
 * Keeps what a library prints out of the log. `@actions/cache` writes commands, progress and warnings to
 * the standard output of the process and can be told nothing else. The async context tells its output from
 * everybody else's, also when both are at work at once, and also in handlers of a child process's output
 * (`@actions/exec`), because these run in the context in which the child was started.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface Captured<T> {
  readonly value: T;
  /** All that was printed until `value` was there. */
  readonly output: string;
}

interface Capture {
  readonly chunks: string[];
  readonly isShown: boolean;
  /** Values that the library asked the runner to hide. */
  readonly secrets: Set<string>;
}

type Write = typeof process.stdout.write;

const captures = new AsyncLocalStorage<Capture>();
const filtered = new WeakSet<NodeJS.WriteStream>();

/**
 * Runs `work`. What it prints is returned, and kept from the log unless `isShown`. What it prints after it has
 * ended is dropped likewise. Values that it asks to hide (`::add-mask::`: the signatures of the service's
 * addresses) are hidden here in all it prints; the asking itself is not passed on, for while an agent's text is
 * printed the runner takes no commands and would show the value instead.
 */
export async function captureOutput<T>(work: () => Promise<T>, isShown: boolean): Promise<Captured<T>> {
  filter(process.stdout);
  filter(process.stderr);
  const capture: Capture = { chunks: [], isShown, secrets: new Set() };
  const value = await captures.run(capture, work);
  return { value, output: capture.chunks.join('') };
}

// Left in place once it is there: taking it out could take out what another put over it.
function filter(stream: NodeJS.WriteStream): void {
  if (filtered.has(stream)) return;
  filtered.add(stream);
  const write = stream.write.bind(stream) as Write;
  stream.write = ((chunk: string | Uint8Array, ...rest: never[]) => {
    const capture = captures.getStore();
    if (capture === undefined) return write(chunk, ...rest);
    const text = hide(
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

function hide(text: string, secrets: Set<string>): string {
  const asking = /^::add-mask::(.*)\r?\n?/gm;
  for (const [, secret = ''] of text.matchAll(asking)) if (secret !== '') secrets.add(secret);
  return [...secrets].reduce((rest, secret) => rest.replaceAll(secret, '***'), text.replaceAll(asking, ''));
}
