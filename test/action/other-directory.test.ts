/** CLIs that store sessions by working directory resume them in a job with another working directory. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../rig/machine.js';
import { createHarness } from './harness.js';

const keys = { GEMINI_API_KEY: 'AIzaCANARY-0123456789abcdefghijklmnop' };

const workflow = (agent: string) => `name: flow
steps:
  - name: impl
    type: code
    agent: ${agent}
    prompt: Do the work.
    gate:
      - bash: test -f done.txt
`;

/** Reserves the folder name of this project for another project of the user, so that the CLI uses the next number. */
async function reserveProjectName({ home, workspace }: Machine): Promise<void> {
  const folder = join(home, '.gemini/tmp', basename(workspace));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, '.project_root'), '/home/me/other');
}

describe.each(['gemini-25-flash', 'qwen-plus'])('%s', (agent) => {
  it('resumes the session and removes its file at the end', async () => {
    const harness = await createHarness({ workflow: workflow(agent) });
    const first = await harness.runJob({ env: keys, rules: [{ do: [{ say: 'not yet' }] }] });
    expect(first.main.exitCode).toBe(1);
    let remaining: readonly string[] = [];
    let owner = '';
    const second = await harness.runJob({
      env: keys,
      jobAttempt: 2,
      workspace: 'elsewhere/repo',
      rules: [{ do: [{ write: 'done.txt' }, { say: 'done' }] }],
      prepare: reserveProjectName,
      inspect: async ({ home }) => {
        remaining = await readdir(home, { recursive: true });
        owner = await readFile(join(home, '.gemini/tmp/repo/.project_root'), 'utf8');
      },
    });
    expect(second.main.exitCode).toBe(0);
    expect(remaining.filter((file) => file.endsWith('.jsonl'))).toEqual([]);
    expect(owner).toBe('/home/me/other');
    const [one, two] = await harness.calls();
    expect(two).toMatchObject({
      session: { mode: 'resume', id: one?.session.id },
      earlier: [one?.prompt],
    });
    expect(two?.refused).toBeUndefined();
  });
});
