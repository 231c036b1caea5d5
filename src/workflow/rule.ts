/** The type of a rule that checks a step, and what a rule knows. */
import type { Diagnostic } from './diagnostic.js';
import type { EventNamespace } from './event-names.js';
import type { StepOutline } from './outline.js';

export interface CheckOptions {
  /** Ids of all providers; without them agent names are not checked. */
  readonly providers?: readonly string[] | undefined;
  /** The agent of steps that name none. */
  readonly defaultAgent?: string | undefined;
  /** Names that are defined in addition to those of the language. Without `vars`, names without a dot are not checked. */
  readonly vars?: readonly string[] | undefined;
  /** What the event of the run is about. Absent: unknown, and every name of an event may have a value. */
  readonly eventNamespaces?: readonly EventNamespace[] | undefined;
}

export interface RuleContext extends CheckOptions {
  /** The text of the file, so that a problem can point into a long value. */
  readonly text: string;
}

export type StepRule = (step: StepOutline, options: RuleContext) => readonly Diagnostic[];
