/**
 * Checks a property: with few cases, for a test that everybody runs often; with as many as GUMP_PROPERTY_RUNS
 * says where it is set.
 */
import fc from 'fast-check';

const asked = Number(process.env.GUMP_PROPERTY_RUNS ?? 0);

/** Throws, or rejects where the property is asynchronous, with the smallest case for which it does not hold. */
export function holds<T>(property: fc.IAsyncProperty<T>, usualRuns?: number): Promise<void>;
export function holds<T>(property: fc.IProperty<T>, usualRuns?: number): void;
export function holds<T>(property: fc.IRawProperty<T>, usualRuns = 30): unknown {
  return fc.assert(property, { numRuns: asked > 0 ? asked : usualRuns });
}
