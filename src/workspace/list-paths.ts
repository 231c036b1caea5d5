/** A message names at most this many files. */
const maxListed = 10;

/** The paths as a message names them. */
export function listPaths(paths: readonly string[]): string {
  const more = paths.length - maxListed;
  const names = paths.slice(0, maxListed).map((path) => `\`${path}\``);
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
