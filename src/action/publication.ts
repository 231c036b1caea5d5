/** What the parts that publish share: the change, what is said about it, and the events. */
import type { EventValues } from '../engine/engine-ports.js';
import { UserError } from '../failure.js';
import type { PublicationKind } from '../journal/event.js';
import { newestSnapshot, type RunState } from '../journal/run-state.js';
import { commitMessage } from '../publish/commit-message.js';
import { eventNamesIn, renderAtEnd, stepsWithDiff } from '../publish/input-templates.js';
import type { PublishedRun } from '../publish/run-facts.js';
import type { TreeChange } from '../workspace/git-tree.js';
import type { PublicationRecord } from './publication-record.js';
import type { RunRequest } from './run-context.js';

export interface Publication {
  readonly request: RunRequest;
  readonly files: readonly TreeChange[];
  /** When the run had passed. */
  readonly state: RunState;
  readonly run: PublishedRun;
  readonly event: EventValues;
  readonly record: PublicationRecord;
  /** Called before something of this kind is tried for a branch, so that a failure can name both. */
  onKind(kind: PublicationKind, branch: string): void;
}

/** The inputs of the action that are templates, with their values. Without secrets. */
export async function renderInputs(
  { request, state, event }: Publication,
  templates: readonly (string | undefined)[],
): Promise<readonly (string | undefined)[]> {
  const { workspace, plan, actionContext } = request;
  const given = templates.filter((one) => one !== undefined);
  const stepDiffs = new Map<string, string>();
  for (const path of stepsWithDiff(given, state)) {
    const step = state.steps.get(path);
    const end = step?.attempts.at(-1)?.snapshot;
    if (step !== undefined && end !== undefined)
      stepDiffs.set(`${path}.diff`, await workspace.patch(step.startSnapshot, end));
  }
  const newest = newestSnapshot(state) ?? workspace.startSnapshot;
  const isDiffRead = given.some((one) => one.includes('{diff}'));
  const diff = isDiffRead ? await workspace.patch(workspace.startSnapshot, newest) : '';
  const { redact } = actionContext;
  const end = { plan, state, diff, stepDiffs, redact, event: await readEvent(event, eventNamesIn(given)) };
  return templates.map((one) => (one === undefined ? undefined : redact(renderAtEnd(one, end))));
}

async function readEvent(event: EventValues, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (names.length === 0) return new Map();
  const { values, problems } = await event.read(names);
  if (problems.size > 0) throw new UserError([...problems.values()].join(' '));
  return values;
}

/** The message of the commit, without secrets. */
export async function messageOfCommit(publication: Publication): Promise<string> {
  const { inputs, redact } = publication.request.actionContext;
  const [custom] = await renderInputs(publication, [inputs.commitMessage]);
  return commitMessage(publication.run, custom, redact);
}
