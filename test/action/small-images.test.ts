/** Images with small programs, such as Alpine: the state is stored with a `tar` that knows only plain options. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Machine } from '../rig/machine.js';
import { createHarness } from './harness.js';

const workflow = `name: flow
steps:
  - name: a
    type: code
    agent: claude-haiku
    prompt: go
    gate: [bash: 'test -f done.txt']
`;

const tar = execFileSync('/bin/sh', ['-c', 'command -v tar'], { encoding: 'utf8' }).trim();
const plain = `for a do case "$a" in -czf | -xzf | -tzf | -C) ;; -*) echo "tar: unrecognized option: $a" >&2; exit 1;; esac; done\nexec ${tar} "$@"`;
const busybox = ['/bin/busybox', '/usr/bin/busybox'].find(existsSync);

it('a re-run continues from a state that such a `tar` has packed', async () => {
  const harness = await createHarness({ workflow, code: 'dist' });
  const script = busybox === undefined ? plain : `exec ${busybox} tar "$@"`;
  const prepare = (machine: Machine) => machine.install('tar', `#!/bin/sh\n${script}\n`);
  const first = await harness.runJob({ prepare });
  expect(first.main.warnings).toEqual([]);
  expect(first.main.outputs).toMatchObject({ status: 'failed', persisted: 'true' });
  const rerun = await harness.runJob({ jobAttempt: 2, prepare, rules: [{ do: [{ write: 'done.txt' }] }] });
  expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true', persisted: 'true' });
});
