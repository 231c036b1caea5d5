/** Objects whose optional keys are absent instead of `undefined`, as `exactOptionalPropertyTypes` wants them. */

type Defined<T> = { readonly [Key in keyof T]?: Exclude<T[Key], undefined> };

/** The same keys and values without those that are `undefined`: `{ path, ...defined({ line }) }`. */
export function defined<T extends object>(values: T): Defined<T> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Defined<T>;
}
