/** Gates and agents that print very much: the log and the memory of the action stay small. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createHarness } from './harness.js';

const megabyte = 1024 * 1024;

const answer = {
  type: 'assistant',
  message: { id: 'msg_many', model: 'm', content: [{ type: 'text', text: `said ${'x'.repeat(200)}` }] },
};

// The peak of the memory is only in /proc.
it.runIf(process.platform === 'linux')(
  'leaves out the middle of their output, and needs less than 200 MB',
  async () => {
    const harness = await createHarness({
      code: 'dist',
      workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: Implement.
    gate:
      - bash: "echo the-first-line; yes | head -c 50000000; echo the-last-line"
      - bash: grep VmHWM /proc/$PPID/status > "$HOME/memory"
`,
    });
    let memory = '';
    const { main } = await harness.runJob({
      rules: [{ do: [{ print: JSON.stringify(answer), times: 20_000 }, { say: 'the last words' }] }],
      inspect: async (machine) => {
        memory = readFileSync(join(machine.home, 'memory'), 'utf8');
      },
    });
    expect(main.outputs.status).toBe('passed');
    expect(Number(/\d+/.exec(memory)?.[0])).toBeLessThan(200_000);
    // One share for the agent, and one for each gate.
    expect(main.log.length).toBeLessThan(2.1 * megabyte);
    for (const text of ['the-first-line', 'the-last-line', 'the last words'])
      expect(main.log).toContain(text);
    expect(main.log).toMatch(/\[bash_0\] \[… \d{7,} lines left out …\]/);
    expect(main.log).toMatch(/\n │ \[… \d{5} lines left out …\]/);
  },
  300_000,
);

it.runIf(process.platform === 'linux')(
  'keeps only the ends of very long lines, and needs less than 280 MB',
  async () => {
    const long = 60_000_000;
    const print = `head -c ${long} /dev/zero | tr '\\\\0' x`;
    const harness = await createHarness({
      code: 'dist',
      workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: Implement.
    context:
      - bash: "${print}; echo; ${print}"
    gate:
      - bash: "printf the-start; ${print}; echo the-end; ${print} >&2; false"
      - bash: grep VmHWM /proc/$PPID/status > "$HOME/memory"; false
    on_failure: {retry: 1}
`,
    });
    let memory = '';
    const { main } = await harness.runJob({
      rules: [
        { do: [{ print: 'x'.repeat(30_000_000) }, { stderr: 'x'.repeat(30_000_000) }, { say: 'done' }] },
      ],
      inspect: async (machine) => {
        memory = readFileSync(join(machine.home, 'memory'), 'utf8');
      },
    });
    expect(main.outputs.status).toBe('failed');
    expect(Number(/\d+/.exec(memory)?.[0])).toBeLessThan(280_000);
    expect(main.log).toContain('skipped an output line of 30000000 bytes');
    expect(main.log).toMatch(/\[bash_0\] the-startx{1500,} … \(\d+ more characters\)/);
  },
  300_000,
);
