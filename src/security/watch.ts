/**
 * What foreign code must not change outside the recorded tree. Foreign code is everything that the action runs and
 * that is not its own: agents, gates, `context` commands and `worktree-setup`.
 */

/** The state is noted once, before the first foreign code runs. */
export interface Watch {
  /**
   * Compares with what was noted, restores what changed, and returns what was found; empty if nothing changed. Cheap
   * if nothing changed. It is called after each piece of foreign code, never twice at once, and other foreign code may
   * run meanwhile.
   */
  restore(): Promise<readonly WatchedChange[]>;
}

export interface WatchedChange {
  /** What was changed, as the end of a sentence names it: "command files of the runner (`set_env_…`)". */
  readonly what: string;
  /**
   * `run`: the attempt fails and nothing more runs. `read-only`: fails an attempt that must change no files, otherwise
   * one warning for the run. `warning`: one warning for the run.
   */
  readonly effect: 'run' | 'read-only' | 'warning';
  /** It could not be undone. */
  readonly isPermanent?: true;
}
