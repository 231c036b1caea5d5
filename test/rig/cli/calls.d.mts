import type { AgentCall, AgentRule } from '../stand-in.js';

export function parseCalls(text: string): readonly AgentCall[];

export function chooseRule(
  script: { readonly rules: readonly AgentRule[]; readonly since?: number },
  calls: readonly AgentCall[],
  call: AgentCall,
): AgentRule;
