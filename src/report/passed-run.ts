/** What the log says at the end of a run that passed: what changed, where it is, what it cost. Pure. */

import type { PublicationKind, Published } from '../journal/event.js';
import { totalUsage } from '../journal/ledger.js';
import type { RunState } from '../journal/run-state.js';
import { describeChanges, readChangedFiles, totalsOfChanges } from './change-statistics.js';
import { usageFacts } from './format.js';

export interface PassedRunFacts {
  readonly state: RunState;
  /** All changes against the start tree. */
  readonly patch: string;
  readonly files: { readonly patch: string; readonly results: string };
}

/** The log names at most this many files. */
const maxFiles = 20;

/** `apply`: the input. */
export function passedRunLines({ state, patch, files }: PassedRunFacts, apply: string): readonly string[] {
  const changed = readChangedFiles(patch);
  const more = changed.length - maxFiles;
  const usage = usageFacts(totalUsage(state.ledger));
  return [
    `  Changes: ${describeChanges(totalsOfChanges(changed))}`,
    ...changed.slice(0, maxFiles).map(({ path, added, removed }) => {
      return `    ${path} ${added === undefined || removed === undefined ? '(binary)' : `+${added} −${removed}`}`;
    }),
    ...(more > 0 ? [`    and ${more} more`] : []),
    ...(changed.length === 0
      ? []
      : [`  Where: ${placeOf(apply, state.published)}; as a patch in ${files.patch}`]),
    `  Results: ${files.results}`,
    `  Cost: ${usage.length === 0 ? 'no agent reported any' : usage.join(', ')}`,
  ];
}

/** How the parts of a place are written. */
export interface PlaceStyle {
  pull(name: string, url: string | undefined): string;
  commit(id: string, url: string | undefined): string;
  /** A sentence or a part of one, with code between backticks. */
  text(text: string): string;
}

const plainStyle: PlaceStyle = {
  pull: (name, url) => (url === undefined ? name : `${name} (${url})`),
  commit: (id) => id,
  text: (text) => text,
};

/** Where the changes are. `apply`: the input. `published`: in all jobs. */
export function placeOf(apply: string, published: readonly Published[], style = plainStyle): string {
  if (apply === 'none') return style.text('the checkout was restored (`apply: none`)');
  const newest = (kind: PublicationKind) => published.findLast((one) => one.kind === kind);
  const pull = apply === 'pull-request' ? newest('pull-request') : undefined;
  const push = apply === 'push' || apply === 'pull-request' ? newest('push') : undefined;
  const commit = apply === 'commit' ? newest('commit') : push;
  const facts = [
    pull && style.pull(`pull request #${pull.pullRequest}`, pull.url),
    commit && commitPlace(commit, style),
  ].filter((fact) => fact !== undefined);
  return facts.length === 0
    ? style.text('uncommitted in the checkout, for later steps of the job')
    : facts.join(', ');
}

function commitPlace({ commit = '', branch, url }: Published, style: PlaceStyle): string {
  const where = branch === undefined ? 'no branch' : `\`${branch}\``;
  return `commit ${style.commit(commit, url)} ${style.text(`on ${where}`)}`;
}
