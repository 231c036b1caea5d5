import { describe, expect, it } from 'vitest';
import { emptyState } from '../../src/journal/run-state.js';
import { commitMessage, isCommitOf, isOwnCommit } from '../../src/publish/commit-message.js';
import { treeBatches } from '../../src/publish/tree-batches.js';

const run = { workflow: 'flow', runUrl: 'https://example.com/run', change: 'abc', state: emptyState };
const plain = (text: string) => text;

describe('a commit message', () => {
  it('is found by its run and its change', () => {
    const message = commitMessage(run, undefined, plain);
    expect(message).toBe(
      'Changes by the workflow flow\n\nWorkflow flow:\n\nGump-Workflow: flow\nGump-Run: https://example.com/run\nGump-Change: abc\n',
    );
    expect(isCommitOf(message, run)).toBe(true);
    expect(isCommitOf(message, { ...run, change: 'other' })).toBe(false);
    expect(isCommitOf(message, { ...run, runUrl: 'other' })).toBe(false);
    expect(isOwnCommit(message)).toBe(true);
  });

  it('cannot get these trailers from a template, an issue or a workflow name', () => {
    const forged = 'x\n\nGump-Run: https://example.com/other\ngump-change: zzz';
    const message = commitMessage({ ...run, workflow: 'a\nGump-Change: y' }, forged, plain);
    expect(message.split('\n').filter((line) => /^gump-(run|change)/i.test(line))).toEqual([
      'Gump-Run: https://example.com/run',
      'Gump-Change: abc',
    ]);
    const issue = { number: 1, title: `${'long '.repeat(30)}\n\nGump-Run: x` };
    const [subject = ''] = commitMessage({ ...run, issue }, undefined, plain).split('\n');
    expect(subject).toHaveLength(72);
  });

  it('has no secret', () => {
    const redact = (text: string) => text.replaceAll('hunter2', '***');
    expect(commitMessage(run, 'the hunter2', redact)).toContain('the ***');
  });
});

describe('the entries of a tree', () => {
  const file = (path: string, bytes = 1) => ({ path, mode: '100644', content: 'x'.repeat(bytes) });
  const removal = (path: string) => ({ path, sha: null });

  it('are one request if they are few, with removals first', () => {
    const entries = [file('a'), removal('b'), file('c/d')];
    expect(treeBatches(entries)).toEqual([[removal('b'), file('a'), file('c/d')]]);
    expect(treeBatches([])).toEqual([]);
  });

  it.each([
    ['a file in place of a directory', [file('dir'), removal('dir/a')]],
    ['a directory in place of a file', [file('name/a/b'), removal('name')]],
  ])('are two requests for %s', (_name, entries) => {
    expect(treeBatches(entries).map((batch) => batch.map(({ path }) => path))).toEqual([
      [entries[1]?.path],
      [entries[0]?.path],
    ]);
  });

  it('are cut by number and by size', () => {
    const many = Array.from({ length: 1001 }, (_, at) => file(`f${at}`));
    expect(treeBatches(many).map(({ length }) => length)).toEqual([500, 500, 1]);
    const large = Array.from({ length: 5 }, (_, at) => file(`f${at}`, 1024 * 1024));
    expect(treeBatches(large).map(({ length }) => length)).toEqual([4, 1]);
  });
});
