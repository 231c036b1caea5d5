/** The shape of a rule that a step is held against. */
import type { Diagnostic } from './diagnostic.js';
import type { StepOutline } from './outline.js';

export interface CheckOptions {
  /** Ids of the providers there are; without them agent names are not checked. */
  readonly providers?: readonly string[] | undefined;
  /** Stands in where a step names no agent. */
  readonly defaultAgent?: string | undefined;
  /** Names that templates find besides those of the language; without them names without a dot are not checked. */
  readonly vars?: readonly string[] | undefined;
}

export interface RuleContext extends CheckOptions {
  /** The file, so that a fault can point into a long value. */
  readonly text: string;
}

export type StepRule = (step: StepOutline, options: RuleContext) => readonly Diagnostic[];
