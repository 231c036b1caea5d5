/** Everything that has to stand before a plan can run: the state, what is resumed of it, and the ports. */

import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { noticeText, type SaverNotice } from '../checkpoint/save-notice.js';
import { Saver } from '../checkpoint/saver.js';
import { type JournalEvent, journalVersion } from '../journal/event.js';
import { type Journal, openJournal } from '../journal/journal.js';
import { apply, fold, type RunState } from '../journal/state.js';
import { defined } from '../optional-keys.js';
import { createLiveReport, type LiveReport } from '../report/live.js';
import { openSessionShelf } from '../sessions/session-shelf.js';
import { systemClock } from '../system/clock.js';
import { agentEnvironment } from './agents.js';
import { createHandover, type HandoverFile, privatePaths } from './handover.js';
import { openSessions } from './home.js';
import { openPlaces } from './places.js';
import { makePorts, setUpOf } from './ports.js';
import { type Resumed, resume } from './resume.js';
import type { Backstage, RunRequest, Stage } from './run-context.js';
import { jobIdentity } from './setting.js';
import { bindingOf, openState, type StatePlace, stateNameOf } from './state.js';

export async function setStage(request: RunRequest): Promise<Stage> {
  const backstage = await openBackstage(request);
  const { live } = backstage;
  // First, for whatever is put back into home folders has to be known to `post`.
  const handover = openHandover(backstage);
  const resumed = await takeUp(backstage, handover);
  await setUpAgain(request, resumed);
  const ignored = await request.workspace.ignored();
  const journal = beginJournal(request, resumed, ignored);
  handover.update({ ...keysOf(resumed), isBegun: true });
  const saver = openSaver(backstage, resumed, handover);
  const ports = makePorts(backstage, { journal: journal.journal, saver, handover });
  return { resumed, before: journal.before, ports, saver, live, handover };
}

async function openBackstage(request: RunRequest): Promise<Backstage> {
  const { setting, workspace, privateDirectory } = request;
  const live = createLiveReport(setting.log, workspace.directory);
  const state = await openState(setting, privateDirectory);
  const warning = stateWarning(state);
  if (warning !== undefined) live.warn(warning);
  return {
    request,
    live,
    state,
    binding: bindingOf(setting),
    sessions: openSessions(privateDirectory, request.clis.processes),
    shelf: openSessionShelf(privatePaths(privateDirectory).sessions),
    places: openPlaces({
      temp: setting.job.temp,
      stateName: stateNameOf(setting),
      directory: workspace.directory,
      prefix: relative(workspace.root, workspace.directory),
    }),
    environmentOf: (provider) => agentEnvironment(provider, { ...setting, passEnv: setting.inputs.passEnv }),
  };
}

/** What a re-run will find, where that is known from the start. */
function stateWarning({ obstacle, store }: StatePlace): string | undefined {
  if (obstacle !== undefined)
    return `No checkpoint is stored. ${obstacle} A re-run of this job will start afresh, or from an earlier checkpoint.`;
  if (store.unreadable === undefined) return undefined;
  return `${store.unreadable} Checkpoints are stored, but no re-run finds them as long as that holds.`;
}

function takeUp(backstage: Backstage, handover: HandoverFile): Promise<Resumed> {
  const { request, live, state, sessions } = backstage;
  const { writer: _writer, jobAttempt, ...place } = backstage.binding;
  return resume({
    ...backstage,
    mode: request.setting.inputs.resume,
    request: { store: state.store, secrets: state.secrets, place, jobAttempt },
    plan: request.plan,
    job: jobIdentity(request.setting),
    workspace: request.workspace,
    providers: request.setting.providers,
    onPlaced: () => handover.update({ placed: sessions.placed() }),
    say: live.say,
    warn: live.warn,
  });
}

/** What git does not bring back (`node_modules`), the user's command makes again; it belongs to no step. */
async function setUpAgain(request: RunRequest, { events, decisions }: Resumed): Promise<void> {
  const { workspace, signal, setting } = request;
  const isRestored = events.length > 0 && decisions.length < events.length;
  if (!isRestored || setting.inputs.worktreeSetup === undefined) return;
  await setUpOf(request)(workspace.directory, signal);
  await workspace.disown();
}

/** Writes down that this job begins, after what earlier ones wrote and what of it does not hold any more. */
function beginJournal(
  { setting, plan, workspace, privateDirectory }: RunRequest,
  resumed: Resumed,
  ignored: readonly string[],
): { readonly journal: Journal; readonly before: RunState } {
  const file = privatePaths(privateDirectory).journal;
  writeFileSync(file, resumed.events.map((event) => `${JSON.stringify(event)}\n`).join(''), { mode: 0o600 });
  const journal = openJournal(file, () => systemClock.now());
  const started = {
    type: 'job-started',
    version: journalVersion,
    jobAttempt: setting.job.jobAttempt,
    job: jobIdentity(setting),
    workflow: plan.workflow,
    startCommit: workspace.startCommit,
    startTree: workspace.startTree,
    ignored,
  } as const;
  const events = [...resumed.decisions, started].map((event): JournalEvent => journal.append(event));
  return { journal, before: events.reduce(apply, fold(resumed.events)) };
}

function openHandover({ request, binding, sessions }: Backstage): HandoverFile {
  return createHandover(request.privateDirectory, {
    directory: request.workspace.directory,
    prefix: relative(request.workspace.root, request.workspace.directory),
    agentPids: [],
    binding,
    usedSequence: 0,
    storedEvents: 0,
    isBegun: false,
    placed: sessions.placed(),
    isDone: false,
  });
}

function openSaver({ live, state, binding }: Backstage, resumed: Resumed, handover: HandoverFile): Saver {
  const names = { store: state.store.title, stateName: binding.stateName };
  const onNotice = (notice: SaverNotice) =>
    tellNotice(live, noticeText(notice, { ...names, ...storedIn(saver) }), notice);
  const saver: Saver = new Saver({
    store: state.store,
    clock: systemClock,
    binding,
    ...keysOf(resumed),
    isUnseen: resumed.isUnseen ?? false,
    onStored: (restored, storedEvents) =>
      handover.update({ restored, storedEvents, usedSequence: saver.usedSequence }),
    onNotice,
  });
  return saver;
}

function storedIn({ newest }: Saver): { readonly stored?: string } {
  return newest === undefined ? {} : { stored: newest };
}

function keysOf({ seen, restored }: Resumed): { readonly seen?: string; readonly restored?: string } {
  return { ...defined({ seen, restored }) };
}

function tellNotice(live: LiveReport, text: string, notice: SaverNotice): void {
  if (notice.type === 'conflict') live.fault(text);
  else live.warn(text);
}
