import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/outputs/findings.js';
import { commentPlace, diffLines } from '../../src/publish/diff-lines.js';
import { identifyFindings } from '../../src/publish/finding-identity.js';
import { type PostedFinding, planReview } from '../../src/publish/review-plan.js';

const code: Readonly<Record<number, string>> = { 2: '  const a = 1', 3: 'return a', 9: 'return a' };
const identify = (findings: readonly Finding[], shift = 0) =>
  identifyFindings(findings, ({ line }) => code[line - shift] ?? '');
const finding = (line: number, message: string): Finding => ({
  path: 'a.ts',
  line,
  severity: 'error',
  message,
});

const posted = (findings: readonly Finding[], change: object = {}): readonly PostedFinding[] =>
  identify(findings).map(({ id, context, finding: { message } }, at) => ({
    mark: { key: 'k', id, context, isFixed: false },
    body: message,
    in: { kind: 'thread', comment: at, thread: `T${at}`, isResolved: false, ...change } as const,
  }));

const plan = (
  findings: ReturnType<typeof identify>,
  earlier: readonly PostedFinding[],
  isIncomplete = false,
) => {
  const { inline, inBody, gone, known } = planReview({
    findings,
    lines: diffLines([{ path: 'a.ts', patch: '@@ -1,2 +1,3 @@\n a\n+const a = 1\n return a' }]),
    isSameCommit: true,
    posted: earlier,
    isIncomplete,
  });
  const lineOf = ({ finding: { line } }: { readonly finding: Finding }) => line;
  return { inline: inline.map(lineOf), inBody: inBody.map(lineOf), gone: gone.length, known };
};

describe('the plan of a review', () => {
  const [unused, other] = [finding(2, 'The value `a` is never used.'), finding(9, 'This is dead code.')];

  it('has new findings in the diff as comments, and the others in the body', () => {
    expect(plan(identify([unused, other]), [])).toEqual({ inline: [2], inBody: [9], gone: 0, known: 0 });
  });

  it('does not post a finding again whose line moved', () => {
    const moved = identify([{ ...unused, line: 12 }], 10);
    expect(plan(moved, posted([unused]))).toEqual({ inline: [], inBody: [], gone: 0, known: 1 });
  });

  it('knows a finding in other words about the same code, but no other one about it', () => {
    const reworded = finding(2, 'Value a is never used in line 2');
    expect(plan(identify([reworded]), posted([unused]))).toMatchObject({ inline: [], known: 1, gone: 0 });
    const unlike = finding(2, 'Wrong type');
    expect(plan(identify([unlike]), posted([unused]))).toMatchObject({ inline: [2], known: 0, gone: 1 });
  });

  it('does not take findings without a place for each other because of common words', () => {
    const one: Finding = { severity: 'error', message: 'The build of the app is broken' };
    const two: Finding = { severity: 'error', message: 'The docs of the app are wrong' };
    expect(plan(identify([two]), posted([one]))).toMatchObject({ inBody: [undefined], gone: 1 });
  });

  it('distinguishes findings with the same words about the same code', () => {
    const twins = [finding(3, 'Missing check.'), finding(9, 'Missing check.')];
    expect(new Set(identify(twins).map(({ id }) => id)).size).toBe(2);
    expect(plan(identify(twins), posted(twins))).toMatchObject({ known: 2, gone: 0 });
    expect(plan(identify(twins.slice(1)), posted(twins))).toMatchObject({ known: 1, gone: 1 });
  });

  it('leaves alone what is resolved or marked, and posts again what comes back after a mark', () => {
    expect(plan([], posted([unused], { isResolved: true }))).toMatchObject({ gone: 0 });
    expect(plan(identify([unused]), posted([unused], { isResolved: true }))).toMatchObject({
      inline: [],
      known: 1,
    });
    const marked = posted([unused]).map((one) => ({ ...one, mark: { ...one.mark, isFixed: true } }));
    expect(plan([], marked)).toMatchObject({ gone: 0 });
    expect(plan(identify([unused]), marked)).toMatchObject({ inline: [2], known: 0 });
    expect(plan(identify([unused]), [...marked, ...posted([unused])])).toMatchObject({
      inline: [],
      known: 1,
    });
  });

  it('concludes nothing from an incomplete verdict', () => {
    expect(plan([], posted([unused]), true)).toMatchObject({ gone: 0 });
  });

  it('has the most severe findings as comments if there are too many', () => {
    const many = Array.from({ length: 60 }, (_, at) => ({
      ...finding(2, `m${'x'.repeat(at)}`),
      severity: 'notice' as const,
    }));
    const { inline, inBody } = planReview({
      findings: identify([...many, unused]),
      lines: diffLines([{ path: 'a.ts', patch: '@@ -1 +1,2 @@\n a\n+b' }]),
      isSameCommit: true,
      posted: [],
      isIncomplete: false,
    });
    expect([inline.length, inBody.length, inline[0]?.finding.severity]).toEqual([50, 11, 'error']);
  });
});

describe('a finding in a merge commit', () => {
  const lines = diffLines([
    { path: 'a.ts', patch: '@@ -1,3 +1,5 @@\n }\n+const a = 1\n+const b = 2\n }\n }' },
  ]);
  /** The lines of the comment on a finding about this code. */
  const placeFor = (line: number, code: string, endLine?: number) => {
    const one: Finding = { ...finding(line, 'x'), ...(endLine === undefined ? {} : { endLine }) };
    const { inline } = planReview({
      findings: identifyFindings([one], () => code),
      lines,
      isSameCommit: false,
      posted: [],
      isIncomplete: false,
    });
    return inline[0] && [inline[0].place.startLine, inline[0].place.line];
  };

  it('is on the line with the code that the agent saw', () => {
    expect(placeFor(2, 'const a = 1')).toEqual([undefined, 2]);
    expect(placeFor(12, 'const a = 1  ')).toEqual([undefined, 2]);
    expect(placeFor(12, 'const a = 1\nconst b = 2', 13)).toEqual([2, 3]);
  });

  it('is in the body if no line, or more than one, has this code', () => {
    expect(placeFor(2, 'const c = 3')).toBeUndefined();
    expect(placeFor(12, '}')).toBeUndefined();
    expect(placeFor(2, 'const a = 1\nconst c = 3', 3)).toBeUndefined();
  });
});

describe('the lines of a diff', () => {
  const patch =
    '@@ -1,3 +1,4 @@ title\n one\n-two\n+zwei\n+drei\n three\n\\ No newline at end of file\n@@ -20 +21 @@\n-x\n+y';
  const lines = diffLines([{ path: 'a', patch }, { path: 'binary' }]);
  const at = (line: number, endLine?: number) =>
    commentPlace(lines, { path: 'a', line, ...(endLine === undefined ? {} : { endLine }) });

  it('are those of the new side', () => {
    expect([...(lines.get('a') ?? [])].map(([line, { text }]) => [line, text])).toEqual([
      [1, 'one'],
      [2, 'zwei'],
      [3, 'drei'],
      [4, 'three'],
      [21, 'y'],
    ]);
  });

  it('can have a comment, over several lines only in one hunk', () => {
    expect(at(2)).toEqual({ path: 'a', line: 2, isExact: true });
    expect(at(2, 4)).toEqual({ path: 'a', startLine: 2, line: 4, isExact: true });
    expect(at(2, 21)).toEqual({ path: 'a', line: 2, isExact: false });
    expect([
      at(5),
      at(20),
      commentPlace(lines, { path: 'binary', line: 1 }),
      commentPlace(lines, {}),
    ]).toEqual(Array(4).fill(undefined));
  });
});
