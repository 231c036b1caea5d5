/** What the parts of one run share: the request, and what was opened for it. */
import type { Binding } from '../checkpoint/binding.js';
import type { JobCheckpoints } from '../checkpoint/checkpoint-builder.js';
import type { CheckpointWriter } from '../checkpoint/checkpoint-writer.js';
import type { EnginePorts } from '../engine/engine-ports.js';
import type { Project } from '../gates/project.js';
import type { JournalFile } from '../journal/journal.js';
import type { RunState } from '../journal/run-state.js';
import type { Plan } from '../plan/plan.js';
import type { Provider } from '../providers/provider.js';
import type { LiveReport } from '../report/live-report.js';
import type { FilteredEnvironment } from '../security/filter-environment.js';
import type { SessionCopies } from '../sessions/session-copies.js';
import type { SessionStore } from '../sessions/session-store.js';
import type { DiskReserve } from '../system/disk-reserve.js';
import type { Settings } from '../workflow/settings.js';
import type { MainWorkspace } from '../workspace/open.js';
import type { ActionContext } from './action-context.js';
import type { AgentDirectories } from './agent-directories.js';
import type { Clis } from './clis.js';
import type { EventOfRun } from './event-of-run.js';
import type { ForeignCode, RunMarks } from './foreign-code.js';
import type { PostStateFile } from './post-state.js';
import type { PublishTarget } from './publish-target.js';
import type { ResumedState, StillWaiting } from './resume.js';
import type { StateStorage } from './state-storage.js';

export interface RunRequest {
  readonly actionContext: ActionContext;
  /** The project's settings (`gump.toml`). */
  readonly settings: Settings;
  readonly plan: Plan;
  /** The file of the workflow: a path from the working directory, or `built-in NAME`. */
  readonly workflowFile: string;
  readonly project: Project;
  readonly workspace: MainWorkspace;
  readonly clis: Clis;
  /** Resolves when the missing CLIs are installed. Rejects with `UserErrors`. Awaited before the run changes a file. */
  install(): Promise<void>;
  readonly stateStorage: StateStorage;
  /** The variables that may seal the state. */
  readonly sealingVariables: readonly string[];
  readonly privateDirectory: string;
  /** The environment of gates and commands. */
  readonly gateEnvironment: FilteredEnvironment;
  readonly signal: AbortSignal;
  /** Where the result goes, in addition to the checkout. Absent: nowhere. */
  readonly publishTarget?: PublishTarget;
  /** When the time of this job (`max-time`) is up, as `Date.now()`. */
  readonly deadline?: number;
}

export type RunPorts = EnginePorts & { readonly checkpoints: JobCheckpoints };

export interface PreparedRun {
  readonly resumed: ResumedState;
  /** The state at the start of this job's part. */
  readonly initialState: RunState;
  readonly journal: JournalFile;
  readonly ports: RunPorts;
  readonly checkpointWriter: CheckpointWriter;
  /** Whether this job can store checkpoints. */
  readonly canStore: boolean;
  readonly live: LiveReport;
  readonly postState: PostStateFile;
  readonly diskReserve: DiskReserve;
}

/** A re-run that comes before the time at which the run can continue. */
export interface EarlyRerun extends StillWaiting {
  readonly live: LiveReport;
}

/** What is open during the run, shared by the ports and by `resume`. */
export interface RunContext {
  readonly request: RunRequest;
  readonly live: LiveReport;
  readonly diskReserve: DiskReserve;
  readonly stateStorage: StateStorage;
  readonly binding: Omit<Binding, 'sequence'>;
  readonly postState: PostStateFile;
  readonly sessions: SessionStore;
  readonly sessionCopies: SessionCopies;
  readonly agentDirectories: AgentDirectories;
  readonly foreignCode: ForeignCode;
  readonly eventOfRun: EventOfRun;
  readonly runMarks: RunMarks;
  environmentOf(provider: Provider): Readonly<Record<string, string>>;
}
