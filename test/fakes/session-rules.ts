/** A workflow with which each CLI shows the session rules whose implementation depends on the CLI. */
import type { StandInProvider } from '../rig/stand-in.js';

export interface CliCase {
  readonly id: StandInProvider;
  readonly agent: string;
  /** The argument before the session id on the command line (S12). */
  readonly resumeArgument: string;
  /** Mode and reason of the session of a step that must resume an earlier point of it (S13). */
  readonly earlierPoint: 'resumed from' | 'new session-ahead';
  /** The provider of the retry (S5). */
  readonly nextProvider: StandInProvider;
}

export const cliCases: readonly CliCase[] = [
  {
    id: 'claude',
    agent: 'claude-haiku',
    resumeArgument: '--resume',
    earlierPoint: 'resumed from',
    nextProvider: 'codex',
  },
  {
    id: 'codex',
    agent: 'codex',
    resumeArgument: 'resume',
    earlierPoint: 'resumed from',
    nextProvider: 'gemini',
  },
  {
    id: 'gemini',
    agent: 'gemini-flash',
    resumeArgument: '--resume',
    earlierPoint: 'resumed from',
    nextProvider: 'qwen',
  },
  {
    id: 'qwen',
    agent: 'qwen-coder',
    resumeArgument: '--resume',
    earlierPoint: 'resumed from',
    nextProvider: 'opencode',
  },
  {
    id: 'opencode',
    agent: 'opencode-anthropic/claude-haiku-4-5',
    resumeArgument: '--session',
    earlierPoint: 'resumed from',
    nextProvider: 'cursor',
  },
  // According to its documentation, it stores chats in a database, which cannot be reset to an earlier point.
  {
    id: 'cursor',
    agent: 'cursor',
    resumeArgument: '--resume',
    earlierPoint: 'new session-ahead',
    nextProvider: 'claude',
  },
];

const agentOf = (id: StandInProvider): string => cliCases.find((one) => one.id === id)?.agent ?? id;

/** `deleteSessions`: a command that deletes all sessions of the CLIs. */
export const sessionFlow = ({ agent, nextProvider }: CliCase, deleteSessions: string): string => `name: flow
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
  - name: switched
    type: code
    agent: ${agent}
    prompt: Switch.
    gate: [{bash: "test -e switched.txt"}]
    retry: [{attempt: 2, agent: "${agentOf(nextProvider)}"}, {exit: 2}]
  - name: deleted
    type: code
    agent: ${agent}
    prompt: Delete.
    gate: [{bash: "${deleteSessions}"}]
  - name: replaced
    type: code
    agent: ${agent}
    session: from: deleted
    prompt: Replace.
    gate: [{bash: "test -e replaced.txt"}]
`;
