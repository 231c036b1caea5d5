/** What holds between the values of `guard`, `worktree` and `context`. */
import type { StepRule } from './check.js';
import { fault } from './diagnostic.js';
import { plainValue } from './outline.js';
import { childOf, entryOf, mappingsIn } from './tree.js';

/** Steps that judge or plan change no files, whatever they are told. */
const writers = ['code'];

export const guard: StepRule = ({ guard: written, type, kind }) => {
  const long = entryOf(written?.value, 'max_time');
  const short = entryOf(written?.value, 'timeout');
  const twice =
    long === undefined || short === undefined
      ? []
      : [fault('duplicate-key', short.at, '`timeout` and `max_time` are the same: remove one.')];
  const noWrite = entryOf(written?.value, 'no_write');
  const isWriter = kind === 'group' || kind === 'call' || writers.includes(type?.value ?? '');
  if (noWrite === undefined || plainValue(noWrite.value) !== false || isWriter) return twice;
  const message = `A step of \`type: ${type?.value ?? ''}\` never changes files, so this has no effect.`;
  return [...twice, fault('no-effect', noWrite.at, message)];
};

export const worktree: StepRule = ({ worktree: written, type }) => {
  if (written?.value !== 'none' || type?.value !== 'code') return [];
  const message =
    '`worktree: none` is for steps that change nothing: `validate`, `split` and `artifact`. A `code` step takes `read-write` or `read-only`.';
  return [fault('bad-value', written.at, message)];
};

export const context: StepRule = ({ context: written }) =>
  mappingsIn(written?.value).flatMap((entry) => {
    const both = childOf(entry, 'file') !== undefined && childOf(entry, 'bash') !== undefined;
    const message = both
      ? 'One entry holds `file` and `bash`: begin a line with `- ` for each.'
      : 'An entry of `context` is `file: PATH` or `bash: COMMAND`.';
    const isEmpty = entry.entries.length === 0;
    return both || isEmpty ? [fault(both ? 'bad-value' : 'missing-key', entry.at, message)] : [];
  });
