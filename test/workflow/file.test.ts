import { describe, expect, it } from 'vitest';
import { parseWorkflowPath } from '../../src/workflow/workflow-path.js';

describe('the path of a workflow', () => {
  it.each([
    ['.github/agent.yml', { path: '.github/agent.yml' }],
    ['./agent.yaml', { path: 'agent.yaml' }],
    [' a//b/./c.yaml ', { path: 'a/b/c.yaml' }],
    ['tdd', { path: '.gump/workflows/tdd.yaml', builtInName: 'tdd' }],
    ['team/tdd', { path: '.gump/workflows/team/tdd.yaml', builtInName: 'team/tdd' }],
    ['v1.2', { path: '.gump/workflows/v1.2.yaml', builtInName: 'v1.2' }],
    ['validators/a', { path: '.gump/validators/a.yaml', builtInName: 'validators/a' }],
    ['validators/team/a.yml', { path: 'validators/team/a.yml' }],
  ])('is read from %j', (value, location) => {
    expect(parseWorkflowPath(value)).toEqual(location);
  });

  it.each([
    ['', /empty/],
    ['   ', /empty/],
    ['../other/a.yaml', /`\.\.`/],
    ['a/../../b.yaml', /`\.\.`/],
    ['..', /`\.\.`/],
    ['/etc/a.yaml', /in the repository/],
    ['~/a.yaml', /in the repository/],
    ['a\\b.yaml', /Separate folders/],
    ['a\nb.yaml', /control character/],
    ['validators/../a', /`\.\.`/],
    ['validators/', /folder/],
    ['folder/', /folder/],
    ['.', /folder/],
    ['./', /folder/],
  ])('cannot be %j', (value, reason) => {
    expect(parseWorkflowPath(value)).toEqual({ problem: expect.stringMatching(reason) });
  });
});
