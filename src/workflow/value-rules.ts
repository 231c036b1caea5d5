/** Rules for the values of `guard`, `worktree`, `permissions` and `context`. */

import { problem } from './diagnostic.js';
import { type StepOutline, scalarValue } from './outline.js';
import type { StepRule } from './rule.js';
import { entryOf, mappingsIn } from './yaml-node.js';

export const guardRule: StepRule = (step) => {
  const guard = step.guard?.value;
  const long = entryOf(guard, 'max_time');
  const short = entryOf(guard, 'timeout');
  const duplicate =
    long === undefined || short === undefined
      ? []
      : [problem('duplicate-key', short.at, '`timeout` and `max_time` have the same meaning. Remove one.')];
  const stall = entryOf(guard, 'stall');
  const hasNoAgent = stall !== undefined && (step.kind === 'group' || step.kind === 'call');
  const found = hasNoAgent
    ? [
        ...duplicate,
        problem(
          'no-effect',
          stall.at,
          '`stall` applies only to steps with an agent, so it has no effect here. Move it to the guards of those steps.',
        ),
      ]
    : duplicate;
  const noWrite = entryOf(guard, 'no_write');
  const why = whyReadOnly(step);
  if (noWrite === undefined || scalarValue(noWrite.value) !== false || why === undefined) return found;
  return [
    ...found,
    problem('no-effect', noWrite.at, `${why}, so \`no_write: false\` has no effect. Remove it.`),
  ];
};

/** Why the step changes no files, whatever the value of `no_write`; `undefined` if it may change files. */
function whyReadOnly({ kind, type, worktree, permissions }: StepOutline): string | undefined {
  if (kind === 'group' || kind === 'call') return undefined;
  // Only `code` steps may change files.
  if (type?.value !== 'code') return `A step of \`type: ${type?.value ?? ''}\` never changes files`;
  if (worktree?.value === 'read-only') return 'A step with `worktree: read-only` never changes files';
  const isReadOnly = permissions?.value === 'read-only';
  return isReadOnly ? 'A step with `permissions: read-only` never changes files' : undefined;
}

export const worktreeRule: StepRule = ({ worktree, type }) => {
  if (worktree?.value !== 'none' || type?.value !== 'code') return [];
  const message =
    '`worktree: none` is allowed only in steps that change no files: `validate`, `split` and `artifact`. Set `read-write` or `read-only` in a `code` step.';
  return [problem('bad-value', worktree.at, message)];
};

export const contextRule: StepRule = ({ context }) =>
  mappingsIn(context?.value).flatMap((entry) => {
    const named = ['file', 'bash'].filter((key) => entryOf(entry, key) !== undefined);
    const both = named.length === 2;
    const message = both
      ? 'One entry contains `file` and `bash`. Begin a line with `- ` for each.'
      : 'An entry of `context` is empty. Write `file: PATH` or `bash: COMMAND`.';
    const isEmpty = entry.entries.every(({ key }) => key === 'optional');
    return both || isEmpty ? [problem(both ? 'bad-value' : 'missing-key', entry.at, message)] : [];
  });
