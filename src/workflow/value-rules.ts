/** What holds between the values of `guard`, `worktree`, `permissions` and `context`. */

import { problem } from './diagnostic.js';
import { type StepOutline, scalarValue } from './outline.js';
import type { StepRule } from './rule.js';
import { childOf, entryOf, mappingsIn } from './yaml-node.js';

export const guardRule: StepRule = (step) => {
  const { guard: written } = step;
  const long = entryOf(written?.value, 'max_time');
  const short = entryOf(written?.value, 'timeout');
  const twice =
    long === undefined || short === undefined
      ? []
      : [problem('duplicate-key', short.at, '`timeout` and `max_time` are the same: remove one.')];
  const stall = entryOf(written?.value, 'stall');
  const isIdle = stall !== undefined && (step.kind === 'group' || step.kind === 'call');
  const found = isIdle
    ? [
        ...twice,
        problem('no-effect', stall.at, '`stall` is for steps with an agent: write it in their guards.'),
      ]
    : twice;
  const noWrite = entryOf(written?.value, 'no_write');
  const why = whyReadOnly(step);
  if (noWrite === undefined || scalarValue(noWrite.value) !== false || why === undefined) return found;
  return [...found, problem('no-effect', noWrite.at, `${why}, so this has no effect.`)];
};

/** Why the step changes no files, whatever `no_write` says; `undefined`: it may. */
function whyReadOnly({ kind, type, worktree, permissions }: StepOutline): string | undefined {
  if (kind === 'group' || kind === 'call') return undefined;
  // Steps that judge or plan change no files, whatever they are told.
  if (type?.value !== 'code') return `A step of \`type: ${type?.value ?? ''}\` never changes files`;
  if (worktree?.value === 'read-only') return 'A step with `worktree: read-only` never changes files';
  const isReadOnly = permissions?.value === 'read-only';
  return isReadOnly ? 'A step with `permissions: read-only` never changes files' : undefined;
}

export const worktreeRule: StepRule = ({ worktree: written, type }) => {
  if (written?.value !== 'none' || type?.value !== 'code') return [];
  const message =
    '`worktree: none` is for steps that change nothing: `validate`, `split` and `artifact`. A `code` step takes `read-write` or `read-only`.';
  return [problem('bad-value', written.at, message)];
};

export const contextRule: StepRule = ({ context: written }) =>
  mappingsIn(written?.value).flatMap((entry) => {
    const both = childOf(entry, 'file') !== undefined && childOf(entry, 'bash') !== undefined;
    const message = both
      ? 'One entry holds `file` and `bash`: begin a line with `- ` for each.'
      : 'An entry of `context` is `file: PATH` or `bash: COMMAND`.';
    const isEmpty = entry.entries.length === 0;
    return both || isEmpty ? [problem(both ? 'bad-value' : 'missing-key', entry.at, message)] : [];
  });
