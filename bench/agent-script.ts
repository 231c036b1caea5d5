/**
 * The agent CLI of the benchmark: a shell script that reads its prompt, works for 100 ms, changes a file, writes a
 * session and prints events as Claude Code does. It starts only three small programs (`cat`, `sleep` and the
 * shell). A real CLI takes ten times as long to start, which would hide the cost of the action itself.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

export const sessionFolder = '.claude/projects/bench';

const line = (value: object) => JSON.stringify(value).replaceAll('"', '\\"').replaceAll('SESSION', '$id');

const events = [
  { type: 'system', subtype: 'init', session_id: 'SESSION', model: 'bench', claude_code_version: '2.1.330' },
  {
    type: 'assistant',
    session_id: 'SESSION',
    message: {
      id: 'msg_1',
      role: 'assistant',
      content: [{ type: 'tool_use', id: 'toolu_1', name: 'Write', input: { file_path: 'out.txt' } }],
      usage: { input_tokens: 100, output_tokens: 20 },
    },
  },
  {
    type: 'assistant',
    session_id: 'SESSION',
    message: {
      id: 'msg_2',
      role: 'assistant',
      content: [{ type: 'text', text: 'Done.' }],
      usage: { input_tokens: 100, output_tokens: 20 },
    },
  },
  {
    type: 'result',
    subtype: 'success',
    is_error: false,
    session_id: 'SESSION',
    num_turns: 2,
    result: 'Done.',
    total_cost_usd: 0.002,
    usage: { input_tokens: 200, output_tokens: 40 },
  },
];

/** 4 KB, the size of a short conversation. */
const sessionLine = line({ type: 'user', sessionId: 'SESSION', message: { content: 'word '.repeat(800) } });

export const agentScript = `#!/bin/sh
cat >/dev/null
while [ "$1" != --session-id ]; do shift; done
id=$2
sleep 0.1
echo "$id" >>changed.txt
echo "${sessionLine}" >"$HOME/${sessionFolder}/$id.jsonl"
${events.map((event) => `echo "${line(event)}"`).join('\n')}
`;

/** Creates the folders that the program needs in its home. */
export async function prepareHome(home: string): Promise<void> {
  await mkdir(join(home, sessionFolder), { recursive: true });
}
