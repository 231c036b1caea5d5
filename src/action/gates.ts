/** The engine's gates over real commands. */

import type { Gates } from '../engine/ports.js';
import type { Project } from '../gates/project.js';
import type { CommandSource } from '../gates/resolve.js';
import { runGates } from '../gates/run-gates.js';
import type { Inputs } from '../inputs.js';
import { defined } from '../optional-keys.js';
import { unitMark } from '../report/live.js';
import type { Log } from '../report/log.js';
import type { HandedEnvironment } from '../security/environment.js';
import { belongsToRunner } from '../security/secret-names.js';
import type { Clock } from '../system/clock.js';
import type { ProcessRunner } from '../system/process.js';
import type { Settings } from '../workflow/settings.js';
import type { Gate } from '../workflow/workflow.js';

export interface GatesOptions {
  readonly processes: ProcessRunner;
  /** What gates look at in that working directory. */
  projectOf(directory: string): Project;
  readonly clock: Clock;
  readonly commands: readonly CommandSource[];
  /** What gates may see, and what was withheld from them. */
  readonly handed: HandedEnvironment;
  readonly log: Log;
  /** For each gate; absent: as long as gates have unless told. */
  readonly timeoutMs?: number;
}

/** Those that judge what the step changed, not what a command says. */
const lookAtChanges: readonly Gate['type'][] = ['touched', 'untouched', 'tests_found'];

/** Where users name the commands of gates; the check before the run and the run itself ask the same. */
export function commandSources(
  { commands }: Pick<Inputs, 'commands'>,
  settings: Settings,
): readonly CommandSource[] {
  return [
    { name: 'the input `commands`', commands },
    { name: '`gump.toml`', commands: settings.commands },
  ];
}

export function createGates(options: GatesOptions): Gates {
  const { log, handed, projectOf, ...setting } = options;
  return {
    async run({ gates, unit, directory, changes, output, signal }) {
      const mark = unitMark(unit);
      const isNeeded = gates.some((gate) => lookAtChanges.includes(gate.type));
      const results = await runGates(gates, {
        ...setting,
        directory,
        project: projectOf(directory),
        env: handed.env,
        signal,
        ...defined({ output }),
        changes: isNeeded ? await changes() : [],
        onLine: (gate, line) => log.untrusted(`${mark}  [${gate.name}] ${line}`),
      });
      const isCutOff = (status: string) => signal.aborted && status === 'failed';
      for (const { name, status } of results)
        log.info(`${mark}  gate ${name}: ${isCutOff(status) ? 'cut off' : status}`);
      if (!signal.aborted && results.some((result) => result.status === 'failed'))
        tellWithheld(log, handed.withheld);
      return results;
    },
  };
}

/** Only what the user could pass on; what is between the runner and the action is nobody's. */
function tellWithheld(log: Log, withheld: readonly string[]): void {
  const names = withheld.filter((name) => !belongsToRunner(name));
  if (names.length > 0) log.info(`  Withheld from gates, see the input pass-env: ${names.join(', ')}`);
}
