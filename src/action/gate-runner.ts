/** Runs the gates of an attempt with real commands. */

import type { GateRunner } from '../engine/engine-ports.js';
import type { ReadCommandVariables } from '../event/command-variables.js';
import type { GateResult } from '../gates/gate-result.js';
import type { Project } from '../gates/project.js';
import type { CommandSource } from '../gates/resolve-gate.js';
import { runGates } from '../gates/run-gates.js';
import type { Inputs } from '../inputs/inputs.js';
import { defined } from '../optional-keys.js';
import { branchPrefix } from '../report/live-report.js';
import type { Log } from '../report/log.js';
import { createLogShare } from '../report/log-share.js';
import type { FilteredEnvironment } from '../security/filter-environment.js';
import { isRunnerVariable } from '../security/secret-names.js';
import type { Clock } from '../system/clock.js';
import type { ProcessRunner } from '../system/process.js';
import type { Settings } from '../workflow/settings.js';
import type { Gate } from '../workflow/workflow.js';
import type { ForeignCode } from './foreign-code.js';

export interface GateRunnerOptions {
  readonly processes: ProcessRunner;
  readonly foreignCode: ForeignCode;
  /** The project that the gates examine in this working directory. */
  projectOf(directory: string): Project;
  readonly clock: Clock;
  readonly commands: readonly CommandSource[];
  /** The environment of gates, and the names of what was withheld from them. */
  readonly filteredEnvironment: FilteredEnvironment;
  /** The variables about the event of the run. */
  readonly readVariables: ReadCommandVariables;
  readonly log: Log;
  /** The path of the working directory in the repository, with a `/` at the end; empty: the top. */
  readonly prefix: string;
  /** Per gate, in milliseconds. Absent: the default of `runGates`. */
  readonly timeoutMs?: number;
}

/** Gates that check what the step changed, not the result of a command. */
const changeGates: readonly Gate['type'][] = ['touched', 'untouched', 'tests_found'];

/** Where users define the commands of gates. Used by the check before the run and by the run itself. */
export function commandSources(
  { commands }: Pick<Inputs, 'commands'>,
  settings: Settings,
): readonly CommandSource[] {
  return [
    { name: 'the input `commands`', commands },
    { name: '`gump.toml`', commands: settings.commands },
  ];
}

export function createGateRunner(options: GateRunnerOptions): GateRunner {
  const { log, filteredEnvironment, readVariables, projectOf, foreignCode, processes, ...setting } = options;
  return {
    async run({ gates, branchName, directory, changes, output, signal }) {
      const prefix = branchPrefix(branchName);
      const needsChanges = gates.some((gate) => changeGates.includes(gate.type));
      const known = needsChanges ? await changes() : [];
      const variables = await readVariables(gates.flatMap(commandOf));
      if (variables.problem !== undefined)
        return { results: [], failure: { kind: 'crash', message: variables.problem, isFinal: true } };
      const { value: results, ...end } = await foreignCode.run(
        { who: 'A gate', processes },
        (watched, stopSignal) =>
          runGates(gates, {
            ...setting,
            processes: watched,
            directory,
            project: projectOf(directory),
            env: { ...filteredEnvironment.env, ...variables.env },
            signal: AbortSignal.any([signal, stopSignal]),
            ...defined({ output }),
            changes: known,
            openSink: (gate) => createLogShare(log.untrusted, `${prefix}  [${gate.name}] `),
            whenReady: log.whenDrained,
          }),
      );
      const isInterrupted = (status: string) => signal.aborted && status === 'failed';
      for (const { name, status } of results)
        log.info(`${prefix}  gate ${name}: ${isInterrupted(status) ? 'interrupted' : status}`);
      if (!signal.aborted) logWithheld(log, results, filteredEnvironment.withheld);
      return { results, ...end };
    },
  };
}

function commandOf(gate: Gate): readonly string[] {
  return gate.type === 'bash' ? [gate.command] : [];
}

/** Names the withheld variables of which a failed gate speaks. `pass-env` never returns the runner's own variables. */
function logWithheld(log: Log, results: readonly GateResult[], withheld: readonly string[]): void {
  const outputs = results.flatMap(({ status, output }) => (status === 'failed' ? [output] : []));
  const words = new Set(outputs.flatMap((output) => output.match(/\w+/g) ?? []));
  const named = withheld.filter((name) => words.has(name));
  const names = named.filter((name) => !isRunnerVariable(name));
  if (names.length > 0) log.info(`  Withheld from gates (see input \`pass-env\`): ${names.join(', ')}`);
  const never = named.filter(isRunnerVariable);
  if (never.length > 0) log.info(`  Withheld from gates, which never get them: ${never.join(', ')}`);
}
