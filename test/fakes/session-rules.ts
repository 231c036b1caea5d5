/** A workflow that takes a CLI through the session rules that each keeps in its own way. */
import type { StandInProvider } from '../rig/stand-in.js';

export interface Row {
  readonly id: StandInProvider;
  readonly agent: string;
  /** What stands before the id on its command line (S12). */
  readonly resumes: string;
  /** How a session is had as it was at an earlier point (S13). */
  readonly goesBack: 'resumed from' | 'new session-ahead';
  /** Whom its work is handed to (S5). */
  readonly next: StandInProvider;
}

export const rows: readonly Row[] = [
  { id: 'claude', agent: 'claude-haiku', resumes: '--resume', goesBack: 'resumed from', next: 'codex' },
  { id: 'codex', agent: 'codex', resumes: 'resume', goesBack: 'resumed from', next: 'gemini' },
  { id: 'gemini', agent: 'gemini-flash', resumes: '--resume', goesBack: 'resumed from', next: 'qwen' },
  { id: 'qwen', agent: 'qwen-coder', resumes: '--resume', goesBack: 'resumed from', next: 'opencode' },
  {
    id: 'opencode',
    agent: 'opencode-anthropic/claude-haiku-4-5',
    resumes: '--session',
    goesBack: 'resumed from',
    next: 'cursor',
  },
  // By its documentation: its chats lie in a database, which cannot be cut back to an earlier point.
  { id: 'cursor', agent: 'cursor', resumes: '--resume', goesBack: 'new session-ahead', next: 'claude' },
];

const agentOf = (id: StandInProvider): string => rows.find((row) => row.id === id)?.agent ?? id;

/** `forget`: a command after which the CLIs have no conversation any more. */
export const flow = ({ agent, next }: Row, forget: string): string => `name: flow
steps:
  - name: tests
    type: code
    agent: ${agent}
    prompt: Tests.
  - name: impl
    type: code
    agent: ${agent}
    session: from: tests
    prompt: Implement.
    gate: [{bash: "test -e impl.txt"}]
    retry: [{exit: 2}]
  - name: handed
    type: code
    agent: ${agent}
    prompt: Hand over.
    gate: [{bash: "test -e handed.txt"}]
    retry: [{attempt: 2, agent: "${agentOf(next)}"}, {exit: 2}]
  - name: gone
    type: code
    agent: ${agent}
    prompt: Vanish.
    gate: [{bash: "${forget}"}]
  - name: lost
    type: code
    agent: ${agent}
    session: from: gone
    prompt: Find.
    gate: [{bash: "test -e found.txt"}]
`;
