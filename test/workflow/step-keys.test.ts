/** The table of step keys, compared with the schema and with the table of step kinds in docs/workflow.md. */
import { describe, expect, it } from 'vitest';
import { acceptsKey, keysOfBlock, type StepKeyName, type StepKind } from '../../src/workflow/step-keys.js';
import * as syntax from '../../src/workflow/syntax.js';
import { tableRows } from '../meta/project-files.js';

const keys = Object.keys(syntax.step.shape) as readonly StepKeyName[];

/** The keys in the third column of the row of a kind. */
function documentedKeys(title: string): readonly string[] {
  const row = tableRows('docs/workflow.md').find(([, kind]) => kind === title);
  return [...(row?.[2] ?? '').matchAll(/`(\w+)`/g)].map(([, key = '']) => key);
}

const agentKeys = ['type', ...documentedKeys('an agent step')];

describe('the keys of a step', () => {
  it.each<[StepKind, readonly string[]]>([
    ['agent', agentKeys],
    ['split', [...agentKeys, ...documentedKeys('a split with a planner')]],
    ['gates', ['gate', ...documentedKeys('a step that runs only gates')]],
    ['group', ['steps', 'run', ...documentedKeys('a group')]],
    ['call', ['workflow', 'run', ...documentedKeys('a call of another workflow')]],
  ])('of kind %s are those in docs/workflow.md', (kind, documented) => {
    expect(keys.filter((key) => acceptsKey(kind, key)).sort()).toEqual(['name', ...documented].sort());
  });

  it('are in the schema of their block', () => {
    expect(Object.keys(syntax.runBlock.shape)).toEqual(keysOfBlock('run'));
    expect(Object.keys(syntax.getBlock.shape)).toEqual([...keysOfBlock('get'), 'workflow', 'with']);
  });
});
