/** An agent that fills the disk of the runner's temporary files. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { createHarness } from './harness.js';

/** A file system of 8 MB, outside the machine; `undefined` if this user may not mount one. */
function mountSmallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'gump-small-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmdirSync(folder);
    return undefined;
  }
}

function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder]);
  rmdirSync(folder);
}

it('outputs are set, what the agent spent is counted, and the error names the reason', async ({ skip }) => {
  const small = process.platform === 'linux' ? mountSmallDisk() : undefined;
  if (small === undefined) return skip('This user cannot mount a file system.');
  cleanUpAfterTest(async () => unmount(small));
  const harness = await createHarness({
    code: 'dist',
    workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: Implement.
`,
  });
  const { main } = await harness.runJob({
    env: { RUNNER_TEMP: small },
    rules: [
      {
        do: [
          { write: 'big.txt', content: 'x'.repeat(100_000) },
          { run: `head -c 20000000 /dev/urandom > ${small}/fill; true` },
          { say: 'Done.' },
        ],
      },
    ],
  });
  expect(main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'impl', turns: '3' });
  expect(Number(main.outputs['cost-usd'])).toBeCloseTo(0.003);
  expect(main.errors.join('\n')).toMatch(/The disk of the runner is full: .*\. Free space/);
  expect(main.report?.totals.turns).toBe(3);
});
