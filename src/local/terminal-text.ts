/** Messages of the action that name a part of GitHub, as sentences about the command. Pure. */

/** What the user does instead of re-running a job. */
const replacements: readonly (readonly [RegExp, string])[] = [
  // The mark is for the action in `resume/`, which is for jobs only.
  [/\ngump-resume: \{[^\n]*\}$/, ''],
  [
    /"Re-run failed jobs" after (\d{4}-\d\d-\d\d \d\d:\d\d UTC) (?:and before \d{4}-\d\d-\d\d )?/g,
    'After $1, the same command ',
  ],
  [/"Re-run failed jobs" before \d{4}-\d\d-\d\d /g, 'The same command '],
  [/A re-run of this job /g, 'The next run '],
  [/\b([Aa]) re-run (?=before|continues|starts|reaches|resumes|reuses)/g, '$1 further run '],
  [/ To continue, run this action in a job of the same run with .*$/s, ''],
  [
    /^Step `(.+?)` waits for approval \(`hitl`\), and neither .*$/s,
    'Step `$1` pauses for approval (`hitl`). To continue it then, add `--approve $1` to the same command.',
  ],
  [/uncommitted in the checkout, for later steps of the job/g, 'uncommitted in the worktree'],
];

export function terminalText(message: string): string {
  const paused = /^Step `(.+?)` waits for approval\. To continue,/.exec(message)?.[1];
  const text = replacements.reduce((result, [pattern, by]) => result.replace(pattern, by), message);
  if (paused === undefined) return text;
  return `${text} To continue, add \`--approve ${paused}\` to the same command.`;
}
