/** The complete texts of the notes that agents get. */
import { describe, expect, it } from 'vitest';
import { composePrompt, type PromptParts } from '../../src/engine/prompt.js';

const compose = (parts: Partial<PromptParts>) =>
  composePrompt({ body: 'Do it.\n', context: [], wasReset: false, ...parts });

describe('the prompt of an agent', () => {
  it('is the rendered prompt alone if there is nothing to add', () => {
    expect(compose({})).toBe('Do it.\n');
  });

  it('separates its parts, and ends with what happened before', () => {
    const failure = { number: 1, message: 'gate `test` failed', error: 'red\n', diff: 'changed a.txt\n' };
    expect(compose({ context: ['Content.'], contract: 'Write a file.', failure, wasReset: true })).toBe(
      `Do it.

---

Content.

---

Write a file.

---

Attempt 1 at this task failed: gate \`test\` failed

Reported errors:
red

Changes made in this step so far:
changed a.txt

Fix the problem and finish the task.

---

The working directory was restored to its state before this step. Files that earlier attempts of this step wrote are removed.
`,
    );
  });

  it('explains an interruption in a session that is resumed', () => {
    expect(compose({ interruption: { missing: [], isNewSession: false } })).toBe(
      `Do it.

---

You were interrupted, and this task now continues on another machine. Your files are restored from the last snapshot. Your latest changes may be missing, and processes that you started are no longer running. Check the files, then finish the task.
`,
    );
  });

  it('explains an interruption in a new session, and names missing directories', () => {
    expect(compose({ interruption: { missing: ['cache', 'node_modules'], isNewSession: true } })).toBe(
      `Do it.

---

An earlier attempt at this task was interrupted, and its session could not be resumed. Files that it wrote may already be present. Check the files before you start over, then finish the task.
These files and directories were present before and are missing now: cache, node_modules. Create them again if you need them.
`,
    );
  });
});
