/**
 * The newest earlier run on the same subject, as the engine sees it: plain data, and a port for what needs the disk or
 * GitHub. Nothing but sessions, results and commits of that run is used.
 */
import type { EarlierSession } from '../journal/event.js';
import type { Provider } from '../providers/provider.js';

/** What is known of a step in the newest run in which it had an agent. */
export interface EarlierStep extends EarlierSession {
  readonly path: string;
  readonly agent: string;
  readonly provider: string;
  /** Absent if the CLI reported none. */
  readonly sessionId?: string;
  /** The result as one text. */
  readonly result?: string;
  /** The comments of a verdict. */
  readonly comments?: string;
  /** The patch of the step. */
  readonly diff?: string;
  /** The paths that the step changed. */
  readonly files: readonly string[];
}

export interface EarlierRun {
  readonly runId: string;
  /** The head commit of the pull request, or the commit of the event. */
  readonly commit: string;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  /** By path. A step that did not run has what is known from older runs. */
  readonly steps: ReadonlyMap<string, EarlierStep>;
}

/** What happened to the code between the commit of the earlier run and that of this run. */
export interface CommitDistance {
  /**
   * `behind`: this run is at an older commit, for example because it was re-run. `rewritten`: the earlier commit is no
   * longer part of the branch, for example after a force-push. `unknown`: neither the checkout nor GitHub can compare
   * the two.
   */
  readonly relation: 'same' | 'ahead' | 'behind' | 'rewritten' | 'unknown';
  /** What the present commit is compared with: the earlier commit, or after a rewrite their merge base. */
  readonly base: string;
  /** The changed paths since `base`. Absent if unknown. */
  readonly files?: readonly string[];
}

/** What the engine needs of earlier runs. Absent in the ports of a workflow that names none. */
export interface PreviousRuns {
  /** Absent: there is none, or it cannot be used. The action has reported that. */
  readonly run?: EarlierRun;
  /** 0: no limit. */
  readonly maxTokens: number;
  readonly maxAgeMs: number;
  /** Sessions that another run which is still at work has announced. */
  readonly sessionsInUse: ReadonlySet<string>;
  /**
   * Places the session of the earlier run where the CLI looks for it from `directory`. `false` if that is not possible;
   * a warning is not needed.
   */
  restoreSession(provider: Provider, id: string, directory: string): Promise<boolean>;
  /** Compares the commits, once. Does not reject. */
  compareCommits(): Promise<CommitDistance>;
  /** The changes since the earlier run, as a patch. Rejects with a `UserError` if they cannot be read. */
  readDiff(): Promise<string>;
}
