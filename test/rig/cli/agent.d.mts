import type { AgentCall, AgentRule } from '../stand-in.js';

export interface RunCliOptions {
  readonly argv: readonly string[];
  stdin(): Promise<string>;
  enter<T>(work: () => T): T;
  ruleOf(call: AgentCall): AgentRule | Promise<AgentRule>;
  /** Resolves with true if the run has ended. */
  performAction(act: object, agent: object): Promise<boolean>;
}

export function main(name: string): Promise<void>;
export function runCli(name: string, options: RunCliOptions): Promise<void>;
