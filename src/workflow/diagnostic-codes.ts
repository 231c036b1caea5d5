/**
 * Every kind of fault that a workflow file can have. The code stands in brackets behind the message and can
 * be searched for; the docs list this table. Whether a fault stops the run belongs to its kind, not its place.
 */

export type Severity = 'error' | 'warning';

interface CodeDescription {
  readonly severity: Severity;
  /** One line for the docs. */
  readonly meaning: string;
}

const error = (meaning: string): CodeDescription => ({ severity: 'error', meaning });
const warning = (meaning: string): CodeDescription => ({ severity: 'warning', meaning });

const table = {
  // The file as YAML.
  'yaml-syntax': error('The file is not valid YAML.'),
  'yaml-alias': error('An alias (`*name`) stands for nothing that was given a name (`&name`) before it.'),
  'yaml-tag': warning('A YAML tag (`!name`) is not known and has no effect.'),
  'many-documents': error('The file holds more than one YAML document.'),
  'too-large': error('The file is longer, or holds more values, than any workflow needs.'),
  'too-deep': error('The file is nested deeper than any workflow needs.'),
  'duplicate-key': error('A key stands twice in one mapping.'),
  'key-not-text': error('A key is something else than text.'),
  'empty-file': error('The file holds nothing.'),
  // Keys and values.
  'wrong-type': error('A value is of the wrong kind, such as text where a list belongs.'),
  'missing-key': error('A key that has to be there is not.'),
  'empty-value': error('A value that has to say something is empty.'),
  'bad-value': error('A value is none of those allowed.'),
  'unknown-key': error('The language has no such key.'),
  'misplaced-key': error('The key belongs to another place.'),
  'not-supported-yet': error('The language has this, but this version of the action does not run it.'),
  'removed-key': error('The language had this key once; something else took its place.'),
  'deprecated-key': warning('The language had this key once; it has no effect any more.'),
  'no-effect': warning('A key is there and has no effect.'),
  'block-and-flat': error('A key stands both in a `get` or `run` block and beside it.'),
  'outside-block': error('A key stands beside the `get` or `run` block that it belongs in.'),
  // Steps.
  'bad-step-name': error('A step name holds characters that cannot be part of a path.'),
  'duplicate-step': error('Two steps that stand side by side have the same name.'),
  'reserved-step-name': warning('Templates cannot reach the results of a step with this name.'),
  'gate-only-step': error('A step that only runs gates has something that needs an agent.'),
  'missing-agent': error('A step that needs an agent names none.'),
  'missing-prompt': warning('A `code` step tells its agent nothing.'),
  'unknown-agent': error('No provider is known for this agent name.'),
  'unreadable-file': error('A file that the workflow names cannot be read.'),
  'unknown-name': warning('A template names something that is nowhere to be found; it is always empty.'),
  'removed-name': warning('A template names something that the language no longer has; it is always empty.'),
  // Sessions.
  'bad-session': error('The value of `session` is none of the accepted ones.'),
  'unknown-step': error('There is no step of this name.'),
  'session-from-itself': error('A step is told to go on from its own session.'),
  'session-out-of-scope': warning('The session named can never be there when the step runs.'),
  // Gates and retries.
  'unknown-gate': error('There is no gate of this name.'),
  'gate-argument': error('A gate has an argument that it cannot use, or lacks one.'),
  'retry-condition': error('A retry entry has no condition, several, or one that cannot be read.'),
  'retry-order': error('The `attempt` numbers of the retry entries do not rise.'),
  'retry-without-exit': error('A retry has no `exit` that says when to stop.'),
  'retry-unreachable': warning('A retry entry can never apply, or not before a re-run.'),
  'unused-override': warning('A retry entry with `exit` has overrides, which never apply.'),
  'unknown-gate-name': warning('A `not` condition waits for a gate that the step does not have.'),
  // Workflows that are called.
  'unknown-workflow': error('There is no workflow of this name.'),
  'workflow-cycle': error('A workflow calls itself, directly or through others.'),
  'unknown-input': warning('A workflow is given an input that it never names.'),
  'missing-input': warning('A workflow names a variable that it is not given; it is always empty.'),
  // All of them.
  'too-many': error('The file has more faults than are shown.'),
} as const satisfies Record<string, CodeDescription>;

export type DiagnosticCode = keyof typeof table;

export const codes: Readonly<Record<DiagnosticCode, CodeDescription>> = table;
