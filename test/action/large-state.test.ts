/** A state of many megabytes, through three job attempts. */
import { createHash, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { attemptLines } from './attempt-lines.js';
import { createHarness } from './harness.js';

/** Of each step that passes. */
const [filesOfStep, fileBytes, sayBytes] = [6, 2_000_000, 1_500_000];
const contents = Array.from({ length: 2 * filesOfStep }, () => randomBytes(fileBytes / 2).toString('hex'));

/** What `git hash-object` prints for all files together. */
const hash = createHash('sha1')
  .update(`blob ${contents.length * fileBytes}\0${contents.join('')}`)
  .digest('hex');

const workflow = `name: flow
steps:
  - {name: s1, type: code, agent: claude-haiku, prompt: Write part 1.}
  - {name: s2, type: code, agent: claude-haiku, prompt: Write part 2., session: {from: s1}}
  - name: s3
    type: code
    agent: claude-haiku
    prompt: Finish.
    session: {from: s2}
    gate: [{bash: 'test "$(cat f*.txt | git hash-object --stdin)" = ${hash} && test -e done.txt'}]
    retry: [{exit: 1}]
`;

function ruleOf(part: number) {
  const own = contents.slice((part - 1) * filesOfStep, part * filesOfStep);
  return {
    prompt: `Write part ${part}.`,
    do: [
      ...own.map((content, index) => ({ write: `f${part}-${index}.txt`, content })),
      { say: randomBytes(sayBytes / 2).toString('hex') },
    ],
  };
}

it('is the same after three job attempts, with its session', async () => {
  const harness = await createHarness({ code: 'dist', workflow });
  const first = await harness.runJob({ rules: [ruleOf(1), ruleOf(2)] });
  expect(first.main.outputs, first.main.log).toMatchObject({ 'failed-step': 's3', persisted: 'true' });
  const second = await harness.runJob({ jobAttempt: 2, rules: [{ do: [{ write: 'more.txt' }] }] });
  expect(second.main.outputs).toMatchObject({ 'failed-step': 's3', resumed: 'true', persisted: 'true' });
  const third = await harness.runJob({ jobAttempt: 3, rules: [{ do: [{ write: 'done.txt' }] }] });
  expect(third.main.outputs, third.main.log).toMatchObject({ status: 'passed', persisted: 'true' });
  expect(attemptLines(third.main.report).at(-1)).toBe('s3#3@3 resumed continued passed');
  expect((await harness.calls()).at(-1)?.earlier).toHaveLength(4);
}, 300_000);
