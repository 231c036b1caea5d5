/** A gate that prints 500 MB: the memory of the action. */
import { makeRepository } from '../test/rig/repository.js';
import { agentScript } from './agent-script.js';
import { onMachine, runMain } from './bench-run.js';
import type { Group, Measured, Row } from './row.js';

const bytes = 500_000_000;

const outputs: readonly { readonly measure: string; readonly command: string }[] = [
  {
    measure: '500 MB of gate output in lines of 100 characters: memory',
    command: `yes '${'gate output '.repeat(8)}...' | head -c ${bytes}`,
  },
  { measure: 'the same in lines of 1 character: memory', command: `yes | head -c ${bytes}` },
  { measure: 'the same in one line: memory', command: `head -c ${bytes} /dev/zero | tr '\\\\0' x` },
];

export const gateOutput: Group = { name: 'gates', measure: measureGateOutput };

async function measureGateOutput(): Promise<Measured> {
  const rows: Row[] = [];
  for (const { measure, command } of outputs)
    rows.push({ measure, value: await memoryWith(command), target: 200, unit: 'MB' });
  return { rows };
}

async function memoryWith(command: string): Promise<number> {
  const repository = await makeRepository({ '.gump/workflows/bench.yaml': workflowWith(command) });
  try {
    return await onMachine({ repository, agent: agentScript }, async (machine) => {
      const { megabytes } = await runMain(machine, { store: 'directory', watchMemory: true });
      return megabytes;
    });
  } finally {
    await repository.remove();
  }
}

function workflowWith(command: string): string {
  return `name: bench
steps:
  - name: build
    type: code
    agent: claude-haiku
    prompt: Build.
    gate:
      - bash: "${command}"
`;
}
