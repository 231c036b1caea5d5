/**
 * Reads the share of covered code from the files that coverage tools write. A file counts only if the command of this
 * gate wrote it: one from before says nothing about the code as it is now.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Project } from './project.js';

type ReadShare = (text: string) => number | undefined;

/** Where tools write their reports by default, relative to the working directory. The first that is new counts. */
const reports: readonly (readonly [path: string, read: ReadShare])[] = [
  ...inFolders(['coverage/', ''], 'coverage-summary.json', readSummary),
  ...inFolders(['coverage/', '', 'coverage/lcov/'], 'lcov.info', readLcov),
  ...inFolders(['coverage/', ''], 'cobertura.xml', readCobertura),
  // The names of Istanbul's reporter, and of coverage.py.
  ['coverage.lcov', readLcov],
  ['coverage/cobertura-coverage.xml', readCobertura],
  ['coverage.xml', readCobertura],
  // Maven and Gradle. JaCoCo prints no share.
  ['target/site/jacoco/jacoco.xml', readJacoco],
  ['build/reports/jacoco/test/jacocoTestReport.xml', readJacoco],
];

function inFolders(folders: readonly string[], name: string, read: ReadShare) {
  return folders.map((folder) => [`${folder}${name}`, read] as const);
}

/** What distinguishes a file that was written again. */
export type FileStamps = ReadonlyMap<string, string>;

/** To be called before the command runs. */
export function stampCoverageFiles(directory: string): FileStamps {
  return new Map(reports.map(([path]) => [path, stampOf(join(directory, path))]));
}

function stampOf(file: string): string {
  try {
    const found = statSync(file, { bigint: true });
    // Reading a pipe would never end.
    return found.isFile() ? `${found.ino} ${found.mtimeNs} ${found.ctimeNs} ${found.size}` : '';
  } catch {
    return '';
  }
}

export interface CoverageFile {
  readonly path: string;
  readonly share: number;
}

/** The first report that was written since `before`. `undefined` if there is none that can be read. */
export function readCoverageFiles(
  directory: string,
  project: Pick<Project, 'read'>,
  before: FileStamps,
): CoverageFile | undefined {
  for (const [path, read] of reports) {
    const stamp = stampOf(join(directory, path));
    if (stamp === '' || stamp === before.get(path)) continue;
    const share = read(project.read(path) ?? '');
    if (share !== undefined && share >= 0 && share <= 100) return { path, share };
  }
  return undefined;
}

function readSummary(text: string): number | undefined {
  try {
    const { total } = JSON.parse(text);
    const share: unknown = total?.statements?.pct ?? total?.lines?.pct;
    return typeof share === 'number' ? share : undefined;
  } catch {
    return undefined;
  }
}

/** `LF`: lines found, `LH`: lines hit, for each source file. */
function readLcov(text: string): number | undefined {
  const sum = (name: string) =>
    [...text.matchAll(new RegExp(`^${name}:(\\d+)\\s*$`, 'gm'))].reduce(
      (all, [, count]) => all + Number(count),
      0,
    );
  return shareOf(sum('LH'), sum('LF'));
}

function readCobertura(text: string): number | undefined {
  const rate = /<coverage\b[^>]*\sline-rate="(\d+(?:\.\d+)?)"/.exec(text)?.[1];
  return rate === undefined ? undefined : shareOf(Number(rate), 1);
}

/** The counters of the whole report come last, after those of packages and classes. */
function readJacoco(text: string): number | undefined {
  const last = [...text.matchAll(/<counter type="LINE" missed="(\d+)" covered="(\d+)"\/>/g)].at(-1);
  if (last === undefined) return undefined;
  return shareOf(Number(last[2]), Number(last[1]) + Number(last[2]));
}

/** Percent with two digits, rounded down: 79.999 % is not 80 %. */
function shareOf(covered: number, all: number): number | undefined {
  // The small addition: 0.57 * 10,000 is a little less than 5,700 in floating point.
  return all === 0 ? undefined : Math.floor((covered / all) * 10_000 + 1e-6) / 100;
}
