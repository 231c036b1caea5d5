/** The values of the template names that stand for the event of the run, read when they are first needed. */
import type { EventValues } from '../engine/engine-ports.js';
import { problemsOf } from '../failure.js';
import { type EventValueSource, eventReaders, type ReadValue } from './event-readers.js';
import { once } from './once.js';

export interface EventValuesOptions extends EventValueSource {
  /** All names that the run uses. The first call reads them, too, so that they are ready when they are needed. */
  readonly used: readonly string[];
}

export function createEventValues({ used, ...source }: EventValuesOptions): EventValues {
  const readers = new Map([...eventReaders(source)].map(([name, read]) => [name, once(read)]));
  const start = once(() => {
    for (const name of used)
      readers
        .get(name)?.()
        .catch(() => undefined);
  });
  return {
    async read(names) {
      const known = names.filter((name) => readers.has(name));
      if (known.length > 0) await start();
      const read = await Promise.all(known.map((name) => readOne(name, readers.get(name))));
      return {
        values: new Map(read.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))),
        problems: new Map(
          read.flatMap(({ name, problem }) => (problem === undefined ? [] : [[name, problem]])),
        ),
      };
    },
  };
}

interface NameReading {
  readonly name: string;
  readonly value?: string;
  readonly problem?: string;
}

async function readOne(name: string, read: ReadValue | undefined): Promise<NameReading> {
  try {
    return { name, value: (await read?.()) ?? '' };
  } catch (error) {
    return { name, problem: problemsOf(error).join(' ') };
  }
}
