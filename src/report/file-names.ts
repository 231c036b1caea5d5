/**
 * Names of files for step paths, below one folder. Part of a path is what a model called its task, so a name must not
 * leave the folder, must be usable on every file system and in an artifact of GitHub (which allows no `"`, `:`, `<`,
 * `>`, `|`, `*`, `?` and no line ends in names; actions/toolkit, `path-and-artifact-name-validation.ts`), and must be
 * another one for each path, also where upper and lower case are the same. Pure.
 */
import { createHash } from 'node:crypto';
import { namesIn } from '../step-path.js';

export interface FileNames {
  /** The name for this path, relative to the folder; the same one for the same path and ending. */
  nameFor(path: string, ending: string): string;
}

const maxNameLength = 80;
/** Together with the path of the folder, far below the 4096 bytes of Linux and the 1024 of macOS. */
const maxLength = 400;

/** The first path that needs a name gets it, and later ones get a name with a hash of their path. */
export function createFileNames(): FileNames {
  /** Lower-case names of files and folders → what they stand for. */
  const owners = new Map<string, string>();
  const claim = (name: string, owner: string): boolean => {
    const key = name.toLowerCase();
    const known = owners.get(key);
    if (known !== undefined) return known === owner;
    owners.set(key, owner);
    return true;
  };
  const claimAll = (folders: readonly string[], file: string, owner: string): string | undefined => {
    const parts = [...folders, file];
    const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    const whole = paths.at(-1) ?? '';
    if (whole.length > maxLength) return undefined;
    const isFree = paths.every((one, index) =>
      claim(one, index === paths.length - 1 ? owner : `folder ${one}`),
    );
    return isFree ? whole : undefined;
  };
  return {
    nameFor(path, ending) {
      const names = namesIn(path).map(safeName);
      const last = names.at(-1) ?? '';
      const hash = createHash('sha256').update(Buffer.from(path, 'utf16le')).digest('hex').slice(0, 16);
      const owner = `file ${path}${ending}`;
      return (
        claimAll(names.slice(0, -1), `${last}${ending}`, owner) ??
        claimAll(names.slice(0, -1), `${last}-${hash}${ending}`, owner) ??
        // A folder on the way is a file, or differs only in case, or the path is too long.
        claimAll([], `${last}-${hash}${ending}`, owner) ??
        `${hash}${ending}`
      );
    },
  };
}

/** Names that Windows keeps for devices, also with an ending. */
const reserved = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

function safeName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._@+=-]+/g, '-').slice(0, maxNameLength);
  // A name of dots would leave the folder, one that starts with a dot is hidden, Windows drops a dot at the end.
  const visible = plain.replace(/^[.-]+|[.-]+$/g, '');
  if (visible === '') return 'step';
  return reserved.test(visible) ? `${visible}-step`.replace(reserved, (device) => `_${device}`) : visible;
}
