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
}

type Write = typeof process.stdout.write;

const captures = new AsyncLocalStorage<Capture>();
const filtered = new WeakSet<NodeJS.WriteStream>();

/**
 * Runs `work`. What it prints is returned, and kept from the log unless `isShown`; masks (`::add-mask::`)
 * always go through. What it prints after it has ended is dropped likewise.
 */
export async function captureOutput<T>(work: () => Promise<T>, isShown: boolean): Promise<Captured<T>> {
  filter(process.stdout);
  filter(process.stderr);
  const capture: Capture = { chunks: [], isShown };
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
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    capture.chunks.push(text);
    // A mask that does not reach the runner would leave a secret readable in later output.
    if (capture.isShown || text.startsWith('::add-mask::')) return write(chunk, ...rest);
    const done: unknown = rest.at(-1);
    if (typeof done === 'function') process.nextTick(done as () => void);
    return true;
  }) as Write;
}
