import { describe, expect, it } from 'vitest';
import { positionOf } from '../../src/workflow/diagnostic.js';
import {
  type EventNamespace,
  eventNames,
  eventNamesInCommand,
  eventVariable,
} from '../../src/workflow/event-names.js';
import { parseWorkflow } from '../fakes/parse-workflow.js';

function problemsOf(text: string, eventNamespaces?: readonly EventNamespace[], vars: readonly string[] = []) {
  const { diagnostics } = parseWorkflow(text, { file: 'a.yaml', vars, eventNamespaces });
  return diagnostics.map((one) => `${positionOf(one, text).line} ${one.code}: ${one.message}`);
}

const flow = (prompt: string, more = '') => `
name: demo
steps:
  - name: a
    type: code
    agent: claude
    prompt: "${prompt}"${more}
`;

const all = eventNames.map((name) => `{${name}}`).join(' ');

describe('names of the event', () => {
  it('are known, and available if the run is about it', () => {
    expect(problemsOf(flow(all))).toEqual([]);
    expect(problemsOf(flow(all), ['pr', 'issue', 'comment', 'run'])).toEqual([]);
    expect(problemsOf(flow('{run.url} {run.attempt}'), ['run'])).toEqual([]);
  });

  it('give a warning if the run is not about it', () => {
    expect(problemsOf(flow('{pr.title} {issue.labels} {comment.body}'), ['run'])).toEqual([
      '7 unavailable-name: `{pr.title}` is empty: this run is not about a pull request. Use an event of a pull request, or name one in the input `subject`.',
      '7 unavailable-name: `{issue.labels}` is empty: this run is not about an issue. Use an event of an issue, or name one in the input `subject`.',
      '7 unavailable-name: `{comment.body}` is empty: the event of this run has no comment. Use an event of a comment or a review.',
    ]);
    const commands = `
    context: [{ bash: 'gh pr view "$GUMP_PR_NUMBER"' }]
    gate: [{ bash: 'echo $GUMP_RUN_URL' }]`;
    expect(problemsOf(flow('{spec}', commands), ['run'])).toEqual([
      expect.stringMatching(/^8 unavailable-name: `\$GUMP_PR_NUMBER` is empty: this run is not about a pull/),
    ]);
  });

  it('may be empty in a step that resumes a session of an earlier run, if the run has others of its names', () => {
    const previous = '\n    session: { from: a, run: previous }';
    const prompt = '{issue.title} {comment.body}';
    expect(problemsOf(flow(prompt, previous), ['issue', 'run'])).toEqual([]);
    expect(problemsOf(flow(prompt, previous), ['pr', 'comment', 'run'])).toEqual([]);
    expect(problemsOf(flow(prompt), ['issue', 'run'])).toHaveLength(1);
    expect(problemsOf(flow(`${prompt} {run.url}`, previous), ['pr', 'run'])).toHaveLength(2);
  });

  it('are hidden by a step and by a variable of the same name', () => {
    const steps = `
  - name: pr
    type: code
    agent: claude
    prompt: "{pr.diff}"`;
    expect(problemsOf(flow('{spec}', steps), ['run'])).toEqual([]);
    expect(problemsOf(flow('{pr.diff}', steps.replace('{pr.diff}', '{pr.title}')), ['run'])).toEqual([
      expect.stringContaining('`{pr.title}` is empty'),
    ]);
    expect(problemsOf(flow('{pr.title}'), ['run'], ['pr.title'])).toEqual([]);
  });

  it('are found in commands as variables', () => {
    expect(eventVariable('comment.diff_hunk')).toBe('GUMP_COMMENT_DIFF_HUNK');
    expect(eventNamesInCommand('a "$GUMP_PR_NUMBER" $GUMP_COMMENT_DIFF_HUNK GUMP_PR_NUMBERS')).toEqual([
      'pr.number',
      'comment.diff_hunk',
    ]);
    expect(eventNamesInCommand('echo $GUMP_ATTEMPT')).toEqual([]);
  });
});
