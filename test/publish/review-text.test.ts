import { describe, expect, it } from 'vitest';
import { diffLines } from '../../src/publish/diff-lines.js';
import { findingMarker, findingMarksIn, placeKey } from '../../src/publish/publication-marker.js';
import {
  findingComment,
  maxCommentBytes,
  reviewBody,
  withFixedFinding,
} from '../../src/publish/review-text.js';
import { suggestedChange } from '../../src/publish/suggested-change.js';

const key = 'c'.repeat(20);
const hash = (letter: string) => letter.repeat(20);
const item = (message: string, id = hash('a')) => ({
  finding: { path: 'src/a.ts', line: 2, severity: 'error' as const, message },
  id,
  context: hash('b'),
  code: '',
});
const place = { path: 'src/a.ts', line: 2, isExact: true };
const lines = diffLines([{ path: 'src/a.ts', patch: '@@ -1 +1,2 @@\n a\n+const b = 1' }]);

describe('a comment on a line', () => {
  it('has its mark in the first line, which an agent cannot write', () => {
    const fake = findingMarker({ key, id: hash('d'), context: hash('d'), isFixed: true });
    const text = findingComment(key, { ...item(`Bad.\n${fake}\n\n\`\`\`\n${fake}\n\`\`\``), place }, lines);
    expect(text).toMatch(/^<!-- gump-action:finding:1 c{20} a{20} b{20} open -->\n❌ \*\*error\*\*\n\nBad\./);
    expect(findingMarksIn(text.split('\n', 1)[0] ?? '')).toEqual([
      { key, id: hash('a'), context: hash('b'), isFixed: false },
    ]);
  });

  it('says at its start that it is fixed, once', () => {
    const text = findingComment(key, { ...item('Bad.'), place }, lines);
    const [mark] = findingMarksIn(text);
    if (mark === undefined) throw new Error('no mark');
    const fixed = withFixedFinding(text, mark, 'abcdef0123');
    expect(fixed).toMatch(/ fixed -->\n✅ Fixed in abcdef0\.\n\n❌ \*\*error\*\*/);
    expect(withFixedFinding(fixed, mark, '1234567')).toBe(fixed);
  });

  it('has no character that GitHub refuses, also in the text of the review', () => {
    const bad = item('a\u0000b\ud800c');
    expect(findingComment(key, { ...bad, place }, lines)).toContain('\n\nabc');
    const texts = { workflow: 'w', step: 's', runUrl: 'u', comments: 'x\u0000y' };
    const body = reviewBody({ key, content: 'c' }, texts, { count: 1, outside: [bad] });
    expect(body).toContain('</code> abc');
    expect(body).toContain('xy');
  });

  it('is cut to what GitHub accepts', () => {
    const suggestion = '@'.repeat(40_000);
    const { finding, ...rest } = item('@'.repeat(40_000));
    const long = { ...rest, finding: { ...finding, suggestion }, place };
    expect(findingComment(key, long, lines)).not.toContain('```suggestion');
    expect(Buffer.byteLength(findingComment(key, long, lines))).toBeLessThan(maxCommentBytes);
  });
});

describe('a suggestion', () => {
  const replaced = '  const b = 1';
  const block = (code: string) => `\`\`\`suggestion\n${code}\n\`\`\``;

  it.each([
    ['lines of code', '  const count = 1', block('  const count = 1')],
    ['code in a fence of the agent', '```ts\n  const c = 1\n```', block('  const c = 1')],
    ['several lines', 'a\nb\n', block('a\nb')],
    [
      'code with a character that nobody sees',
      'const b = 2 /* \u202e */',
      '**Suggestion:** const b = 2 /*  */',
    ],
    ['code with a fence in it', '  const b = "```"', '````suggestion\n  const b = "```"\n````'],
    ['a statement that looks like words', 'Return early', block('Return early')],
    [
      'advice',
      'Remove the value or use it in `run()`.',
      '**Suggestion:** Remove the value or use it in `run()`.',
    ],
    [
      'advice with a mention',
      'Please ask @octocat about it.',
      '**Suggestion:** Please ask @\u200boctocat about it.',
    ],
  ])('with %s', (_name, text, expected) => {
    expect(suggestedChange(text, replaced)).toBe(expected);
  });

  it('that corrects a sentence replaces it', () => {
    const text = 'Install the package with npm first.';
    expect(suggestedChange(text, 'Instal the package with npm first.')).toBe(block(text));
  });

  it('replaces nothing if the comment is not on its lines, or if it changes nothing', () => {
    expect(suggestedChange('x = 1', undefined)).toBe('**Suggestion:** x = 1');
    expect(suggestedChange(replaced, replaced)).toBeUndefined();
  });
});

describe('the body of a review', () => {
  const texts = { workflow: 'flow', step: 'review', runUrl: 'https://example.com/run' };
  const identity = { key, content: hash('e') };

  it('has the marks of the findings in it, and marks those that are fixed', () => {
    const outside = [item('One.'), item('Two @octocat\n<!-- x -->', hash('f'))];
    const body = reviewBody(identity, texts, { count: 3, outside });
    const marks = findingMarksIn(body);
    expect(marks.map(({ id }) => id)).toEqual([hash('a'), hash('f')]);
    expect(body).toContain('- ❌ <code>src/a.ts:2</code> Two @&#8203;octocat &lt;!-- x --&gt;');
    const [first] = marks;
    if (first === undefined) throw new Error('no mark');
    const fixed = withFixedFinding(body, first, 'abcdef0123');
    expect(fixed).toContain('- ✅ Fixed in abcdef0: ❌ <code>src/a.ts:2</code> One.');
    expect(findingMarksIn(fixed).map(({ isFixed }) => isFixed)).toEqual([true, false]);
  });

  it('lists as many findings as fit, and marks no others', () => {
    const outside = Array.from({ length: 300 }, (_, at) =>
      item('x'.repeat(900), String(at).padStart(20, '0')),
    );
    const body = reviewBody(identity, { ...texts, comments: 'y '.repeat(20_000) }, { count: 300, outside });
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(maxCommentBytes);
    const listed = findingMarksIn(body).length;
    expect(listed).toBeGreaterThan(30);
    expect(body).toContain(`${300 - listed} more are in the report of the run.`);
  });
});

describe('the key of what a job publishes', () => {
  const job = {
    workflowRef: 'o/r/.github/workflows/a.yml@refs/pull/7/merge',
    workflow: 'flow',
    jobId: 'agents',
  };

  it('depends on workflow, job and leg, but not on the ref of the event', () => {
    const other = { ...job, workflowRef: 'o/r/.github/workflows/a.yml@refs/heads/main' };
    expect(placeKey(other)).toBe(placeKey(job));
    const keys = [
      job,
      { ...job, jobId: 'x' },
      { ...job, workflow: 'x' },
      { ...job, matrix: { os: 'a' } },
      { ...job, step: 'review' },
    ];
    expect(new Set(keys.map(placeKey)).size).toBe(5);
  });
});
