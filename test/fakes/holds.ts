/**
 * Checks a property with few cases, so that the tests are fast. The environment variable GUMP_PROPERTY_RUNS sets
 * another number of cases.
 */
import fc from 'fast-check';

const requestedRuns = Number(process.env.GUMP_PROPERTY_RUNS ?? 0);

/** Throws with the smallest case for which the property does not hold; rejects if the property is asynchronous. */
export function holds<T>(property: fc.IAsyncProperty<T>, usualRuns?: number): Promise<void>;
export function holds<T>(property: fc.IProperty<T>, usualRuns?: number): void;
export function holds<T>(property: fc.IRawProperty<T>, usualRuns = 30): unknown {
  return fc.assert(property, { numRuns: requestedRuns > 0 ? requestedRuns : usualRuns });
}
