import { describe, expect, it } from 'vitest';
import { workflowCandidates } from '../../src/workflow/file.js';

describe('where a workflow is looked for', () => {
  it.each([
    ['.github/agent.yml', '.github/agent.yml'],
    ['./agent.yaml', 'agent.yaml'],
    [' a//b/./c.yaml ', 'a/b/c.yaml'],
    ['tdd', '.gump/workflows/tdd.yaml'],
    ['team/tdd', '.gump/workflows/team/tdd.yaml'],
    ['v1.2', '.gump/workflows/v1.2.yaml'],
  ])('%j', (value, path) => {
    expect(workflowCandidates(value)).toEqual({ paths: [path] });
  });

  it.each([
    ['', /empty/],
    ['   ', /empty/],
    ['../other/a.yaml', /`\.\.`/],
    ['a/../../b.yaml', /`\.\.`/],
    ['..', /`\.\.`/],
    ['/etc/a.yaml', /in the repository/],
    ['~/a.yaml', /in the repository/],
    ['a\\b.yaml', /parted by/],
    ['a\nb.yaml', /control character/],
    ['folder/', /folder/],
    ['.', /folder/],
    ['./', /folder/],
  ])('not %j', (value, reason) => {
    const found = workflowCandidates(value);
    expect(found).toEqual({ fault: expect.stringMatching(reason) });
    expect(found).toEqual({ fault: expect.stringMatching(/^Input `workflow` is "/) });
  });
});
