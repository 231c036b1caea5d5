/** What the parts of one run share: what was asked, and what was opened for it. */
import type { Binding } from '../checkpoint/binding.js';
import type { Saver } from '../checkpoint/saver.js';
import type { Ports } from '../engine/ports.js';
import type { Project } from '../gates/project.js';
import type { RunState } from '../journal/state.js';
import type { Plan } from '../plan/plan.js';
import type { Provider } from '../providers/provider.js';
import type { LiveReport } from '../report/live.js';
import type { HandedEnvironment } from '../security/environment.js';
import type { HomeSessions } from '../sessions/home-sessions.js';
import type { SessionShelf } from '../sessions/session-shelf.js';
import type { Settings } from '../workflow/settings.js';
import type { Workspace } from '../workspace/workspace.js';
import type { Clis } from './clis.js';
import type { HandoverFile } from './handover.js';
import type { Places } from './places.js';
import type { Resumed } from './resume.js';
import type { Setting } from './setting.js';
import type { StatePlace } from './state.js';

export interface RunRequest {
  readonly setting: Setting;
  /** Of the project. */
  readonly settings: Settings;
  readonly plan: Plan;
  readonly project: Project;
  readonly workspace: Workspace;
  readonly clis: Clis;
  readonly privateDirectory: string;
  /** What gates may see. */
  readonly gateEnvironment: HandedEnvironment;
  readonly signal: AbortSignal;
  /** When, as `Date.now()`, the time of this job is up. */
  readonly endsBy?: number;
}

export interface Stage {
  readonly resumed: Resumed;
  /** The fold that the run begins with. */
  readonly before: RunState;
  readonly ports: Ports;
  readonly saver: Saver;
  readonly live: LiveReport;
  readonly handover: HandoverFile;
}

/** What the parts below share. */

export interface Backstage {
  readonly request: RunRequest;
  readonly live: LiveReport;
  readonly state: StatePlace;
  readonly binding: Omit<Binding, 'sequence'>;
  readonly sessions: HomeSessions;
  readonly shelf: SessionShelf;
  readonly places: Places;
  environmentOf(provider: Provider): Readonly<Record<string, string>>;
}
