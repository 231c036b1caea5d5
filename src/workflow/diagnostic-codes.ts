/**
 * Every kind of problem that a workflow file can have. Messages end with the code in brackets, so that people
 * can search for it; docs/workflow.md lists this table. The severity depends on the code alone.
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
  'yaml-alias': error('An alias (`*name`) has no anchor (`&name`) before it.'),
  'yaml-tag': warning('A YAML tag (`!name`) is unknown and has no effect.'),
  'many-documents': error('The file contains more than one YAML document.'),
  'too-large': error('The file is too long or contains too many values.'),
  'too-deep': error('The file is nested too deeply.'),
  'duplicate-key': error('A mapping contains the same key twice.'),
  'key-not-text': error('A key is not text.'),
  'empty-file': error('The file is empty.'),
  // Keys and values.
  'wrong-type': error('A value has the wrong type, for example text instead of a list.'),
  'missing-key': error('A required key is missing.'),
  'empty-value': error('A required value is empty.'),
  'bad-value': error('A value is not one of the allowed values.'),
  'unknown-key': error('The language has no key of this name.'),
  'misplaced-key': error('The key belongs in another place.'),
  'not-supported-yet': error(
    'The language has this key or value, but this version of the action does not support it.',
  ),
  'removed-key': error('The language no longer has this key; another key replaces it.'),
  'deprecated-key': warning('The language no longer has this key; it has no effect.'),
  'no-effect': warning('A key has no effect.'),
  'block-and-flat': error('A key is both in the `get` or `run` block and directly in the step.'),
  'outside-block': error('A key is directly in the step, but belongs in its `get` or `run` block.'),
  // Steps.
  'bad-step-name': error('A step name contains characters that a path must not contain.'),
  'duplicate-step': error('Two steps of the same list have the same name.'),
  'reserved-step-name': warning('Templates cannot read the results of a step with this name.'),
  'gate-only-step': error('A step that only runs gates has a key that needs an agent.'),
  'missing-agent': error('A step that needs an agent names none.'),
  'missing-prompt': warning('A `code` step has no prompt for its agent.'),
  'unknown-agent': error(
    'The agent name does not start with a known provider, or its model is not a model name.',
  ),
  'unknown-model': warning('The model of an agent looks misspelled. The CLI gets it as it is.'),
  'unreadable-file': error('A file that the workflow names cannot be read.'),
  'unknown-name': warning('A template uses a name that is not defined; its value is always empty.'),
  'removed-name': warning(
    'A template uses a name that the language no longer has; its value is always empty.',
  ),
  'unavailable-name': warning(
    'A template or a command uses a name that the event of this run does not have; it is empty.',
  ),
  'name-in-command': warning('A command contains a template name, which is not replaced in commands.'),
  // Sessions.
  'bad-session': error('The value of `session` is not one of the allowed values.'),
  'unknown-step': error('There is no step of this name.'),
  'session-from-itself': error('`from:` names the step itself.'),
  'session-out-of-scope': warning('The named session never exists when the step runs.'),
  // Gates and retries.
  'unknown-gate': error('There is no gate of this name.'),
  'gate-argument': error('A gate has an invalid argument or lacks a required one.'),
  'retry-condition': error('A retry entry has no condition, several conditions, or an invalid one.'),
  'retry-order': error('The `attempt` numbers of the retry entries do not increase.'),
  'retry-without-exit': error('A retry has no `exit`, which limits the attempts.'),
  'retry-unreachable': warning('A retry entry never applies, or only in a re-run.'),
  'unused-override': warning('A retry entry with `exit` has overrides, which never apply.'),
  'unknown-gate-name': warning('A `not` condition names a gate that the step does not have.'),
  // Called workflows.
  'unknown-workflow': error('There is no workflow of this name.'),
  'workflow-cycle': error('A workflow calls itself, directly or through others.'),
  'unknown-input': warning('A call passes an input that the called workflow never uses.'),
  'missing-input': warning(
    'A called workflow uses a variable that the call does not pass; its value is always empty.',
  ),
  // The list of problems.
  'too-many': error('The file has more problems than are shown.'),
} as const satisfies Record<string, CodeDescription>;

export type DiagnosticCode = keyof typeof table;

export const codes: Readonly<Record<DiagnosticCode, CodeDescription>> = table;
