/** What the repository says is to be run: the project's settings and the workflow. */

import { faultsOf, UserErrors } from '../failure.js';
import { defined } from '../optional-keys.js';
import type { Log } from '../report/log.js';
import type { Settings } from '../workflow/settings.js';
import type { Workflow } from '../workflow/workflow.js';
import type { Setting } from './setting.js';
import { findSettings } from './settings-file.js';
import { readWorkflow } from './workflow-file.js';

export interface Definition {
  readonly settings: Settings;
  readonly workflow: Workflow;
  /** What was warned of while reading, each with its place. */
  readonly warnings: readonly string[];
}

/** Throws `UserErrors` when either cannot be used; all of their faults are told. */
export function readDefinition(setting: Setting, directory: string): Definition {
  const warnings: string[] = [];
  const log = noting(setting.log, warnings);
  const { workspace } = setting.job;
  const { settings, faults } = findSettings({ directory, workspace, providers: setting.providers, log });
  const read = tried(() =>
    readWorkflow({
      name: setting.inputs.workflow,
      directory,
      workspace,
      providers: setting.providers.map(({ id }) => id),
      vars: Object.keys(setting.inputs.vars),
      log,
      ...defined({ defaultAgent: settings.defaultAgent }),
    }),
  );
  const all = [...faults, ...read.faults];
  if (all.length > 0 || read.value === undefined) throw new UserErrors(all);
  return { settings, workflow: read.value, warnings };
}

/** The same log, which also keeps the warnings. */
function noting(log: Log, warnings: string[]): Log {
  return {
    ...log,
    warning(message, place) {
      const at = [place?.file, place?.line, place?.column].filter((part) => part !== undefined);
      warnings.push(at.length === 0 ? message : `${at.join(':')}: ${message}`);
      log.warning(message, place);
    },
  };
}

interface Tried<T> {
  readonly value?: T;
  readonly faults: readonly string[];
}

/** What the work gives, or what of it the user has to mend. */
export function tried<T>(work: () => T): Tried<T> {
  try {
    return { value: work(), faults: [] };
  } catch (error) {
    return { faults: faultsOf(error) };
  }
}
