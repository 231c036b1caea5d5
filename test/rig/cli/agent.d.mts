import type { AgentCall, AgentRule } from '../stand-in.js';

/** The agent of one run, as far as tests use it. */
export interface ActingAgent {
  /** Returns true if the CLI has ended, and false if it waits until then. */
  limit(usageLimit: unknown): boolean;
}

export interface RunCliOptions {
  readonly argv: readonly string[];
  stdin(): Promise<string>;
  enter<T>(work: () => T): T;
  ruleOf(call: AgentCall): AgentRule | Promise<AgentRule>;
  /** Resolves with true if the run has ended. */
  performAction(act: object, agent: ActingAgent): Promise<boolean>;
}

export function main(name: string): Promise<void>;
export function runCli(name: string, options: RunCliOptions): Promise<void>;
