import { expect, it } from 'vitest';
import { previousUseOf } from '../../src/plan/previous-use.js';
import { agentStep, gateStep, planOf, splitStep } from '../fakes/plan.js';

it('finds the sessions and the names of an earlier run, also in tasks and in commands', () => {
  const review = agentStep('review', { session: { mode: 'previous', step: 'review' } });
  const impl = agentStep('impl', { prompt: '{previous.impl.result} {pr.diff_since_previous} {prev.output}' });
  const gate = gateStep('check', [
    { name: 'bash', type: 'bash', command: 'git diff "$GUMP_PREVIOUS_RANGE"' },
  ]);
  expect(previousUseOf(planOf([review, splitStep('work', [impl]), gate]))).toEqual({
    sessions: new Set(['review']),
    names: new Set(['previous.impl.result', 'pr.diff_since_previous', 'previous.range']),
  });
});

it('finds nothing in a workflow that uses none', () => {
  const other = agentStep('other', { session: { mode: 'from', step: 'review' }, prompt: '{pr.diff}' });
  expect(previousUseOf(planOf([agentStep('review'), other]))).toBeUndefined();
});
