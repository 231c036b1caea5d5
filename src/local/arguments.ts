/** The command line of the local command. Pure. */
import { parseArgs } from 'node:util';
import { UserError } from '../failure.js';
import { defined } from '../optional-keys.js';

export const commandNames = ['check', 'plan', 'run'] as const;

export interface LocalCommand {
  readonly name: (typeof commandNames)[number];
  /** The path or the name of a workflow, as the input `workflow`. */
  readonly workflow: string;
  readonly spec?: string;
  readonly specFile?: string;
  readonly agent?: string;
  readonly approve?: string;
  readonly vars: Readonly<Record<string, string>>;
  /** Drop what an earlier run stored. */
  readonly isFresh: boolean;
}

export const usage = `Usage: gump-action check|plan|run FILE [options]

  check FILE   Report the errors and warnings of a workflow
  plan FILE    Show what a run would do, and run nothing
  run FILE     Run the workflow here, or continue where the last run ended

FILE is the path of a workflow, or a name: that of a file in .gump/workflows,
or of a built-in workflow.

  --spec TEXT         The text of {spec}
  --spec-file PATH    A file with the text of {spec}
  --agent AGENT       Replaces the agent of every step
  --var NAME=VALUE    A variable of the templates; may be repeated
  --approve STEP      run: continue the paused step
  --fresh             run: start over, and forget what the last run stored
  --help              Show this text

Ctrl-C ends a run and stores its state. The same command continues it.
`;

const options = {
  spec: { type: 'string' },
  'spec-file': { type: 'string' },
  agent: { type: 'string' },
  approve: { type: 'string' },
  var: { type: 'string', multiple: true },
  fresh: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** `help`: the text about the usage is wanted. @throws UserError for a command line that means nothing. */
export function readArguments(args: readonly string[]): LocalCommand | 'help' {
  const { values, positionals } = parse(args);
  if (values.help) return 'help';
  const [first, workflow, ...more] = positionals;
  const name = commandNames.find((one) => one === first);
  if (name === undefined)
    throw new UserError(
      first === undefined
        ? 'The command is missing. Use `check`, `plan` or `run`.'
        : `\`${first}\` is not a command. Use \`check\`, \`plan\` or \`run\`.`,
    );
  if (workflow === undefined)
    throw new UserError(`\`${name}\`: the workflow is missing. Give the path or the name of one.`);
  if (more.length > 0)
    throw new UserError(`\`${name}\`: \`${more[0]}\` is one argument too many. Give one workflow.`);
  if (name !== 'run' && (values.approve !== undefined || values.fresh))
    throw new UserError('`--approve` and `--fresh` belong to `run`. Remove them.');
  return {
    name,
    workflow,
    ...defined({ spec: values.spec, specFile: values['spec-file'] }),
    ...defined({ agent: values.agent, approve: values.approve }),
    vars: Object.fromEntries((values.var ?? []).map(readVariable)),
    isFresh: values.fresh ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // The first sentence says which option is wrong. The others are about the syntax of all programs.
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split(/[.\n]/);
    throw new UserError(`${reason}. See \`gump-action --help\`.`);
  }
}

function readVariable(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UserError(`\`--var ${text}\` has no value. Write \`--var NAME=VALUE\`.`);
  return [text.slice(0, at), text.slice(at + 1)];
}
