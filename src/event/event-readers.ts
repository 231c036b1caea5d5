/** How the value of each name of the event is found: in the payload, or else at GitHub. */
import type { GitHubApiOptions } from '../github/github-api.js';
import type { Subject } from '../security/subject.js';
import { type EventFacts, needsCheck, textAt, valueAt } from '../security/trust.js';
import { eventNames } from '../workflow/event-names.js';
import { type ConversationReader, createConversationReader } from './conversation-reader.js';
import { diffOfFiles, diffText, fileList } from './diff-text.js';
import { commentOf, eventNumbers } from './event-subject.js';
import { commentTexts, type EventTexts, subjectTexts } from './event-texts.js';
import { once, onceForEach } from './once.js';
import { createRemarkFilter, type RemarkFilterOptions } from './remark-filter.js';
import { type Remark, remarksText } from './remarks.js';

export interface EventValueSource extends Omit<RemarkFilterOptions, 'api'> {
  readonly event: EventFacts;
  readonly subject: Subject;
  readonly runUrl: string;
  /** The number of this job attempt. */
  readonly jobAttempt: number;
  readonly api: GitHubApiOptions;
}

/** Rejects with a `UserError` if GitHub does not report the value. */
export type ReadValue = () => Promise<string> | string;

type Readers = Readonly<Record<string, ReadValue>>;

/** A reader for each name. Those that this event does not have are empty. */
export function eventReaders(source: EventValueSource): ReadonlyMap<string, ReadValue> {
  const { event, subject, runUrl, jobAttempt } = source;
  const { pull, issue } = eventNumbers(event, subject);
  const tools = createTools(source);
  const readers = new Map<string, ReadValue>(eventNames.map((name) => [name, () => '']));
  const found: Readers = {
    ...commentReaders(event, tools),
    'run.url': () => runUrl,
    'run.attempt': () => String(jobAttempt),
    ...(pull === undefined ? {} : pullReaders(pull, event, tools)),
    ...(issue === undefined ? {} : issueReaders(issue, event, tools)),
  };
  for (const [name, read] of Object.entries(found)) readers.set(name, read);
  return readers;
}

interface ReadTools extends ConversationReader {
  /** The text of comments, without those that may not be read. */
  textOf(remarks: readonly Remark[]): Promise<string>;
  isReadable(remark: Remark): Promise<boolean>;
}

function createTools(source: EventValueSource): ReadTools {
  const filter = createRemarkFilter(source);
  const reader = createConversationReader(source.api);
  return {
    ...reader,
    // The comments of a pull request are those of the issue with its number.
    issueComments: onceForEach(reader.issueComments),
    async textOf(remarks) {
      const kept = await filter(remarks);
      return remarksText(kept, remarks.length - kept.length);
    },
    isReadable: async (remark) => (await filter([remark])).length > 0,
  };
}

/**
 * Who started the event was checked, but somebody else may have written the comment: it was edited, or a review was
 * dismissed.
 */
function commentReaders(event: EventFacts, tools: ReadTools): Readers {
  const source = commentOf(event);
  if (source === undefined) return {};
  const { author = '', body = '', ...texts } = commentTexts(source);
  const isByActor = needsCheck(event) && author === event.actor;
  const isBot = textAt(source, 'user', 'type') === 'Bot';
  const remark = { at: '', body, author: { login: author, isBot } };
  const readers = Object.entries({ ...texts, author }).map(([field, text = '']) => [
    `comment.${field}`,
    () => text,
  ]);
  return {
    ...Object.fromEntries(readers),
    'comment.body': async () => (isByActor || (await tools.isReadable(remark)) ? body : leftOutText),
  };
}

const leftOutText = '[This comment is by somebody without write permission and left out.]';

function pullReaders(number: number, { payload }: EventFacts, tools: ReadTools): Readers {
  const known = [valueAt(payload, 'pull_request'), valueAt(payload, 'issue')].filter(
    (one) => valueAt(one, 'number') === number,
  );
  const pull = once(() => tools.pull(number));
  const files = once(() => tools.files(number));
  return {
    'pr.number': () => String(number),
    ...textReaders('pr', ['title', 'body', 'author', 'base', 'head', 'url'], known, pull),
    'pr.diff': async () => diffText((await tools.diff(number)) ?? diffOfFiles(await files())),
    'pr.files': async () => fileList(await files()),
    'pr.comments': async () => tools.textOf(await tools.issueComments(number)),
    'pr.reviews': async () => tools.textOf(await tools.reviews(number)),
  };
}

function issueReaders(number: number, { payload }: EventFacts, tools: ReadTools): Readers {
  const known = [valueAt(payload, 'issue')].filter((one) => valueAt(one, 'number') === number);
  const issue = once(() => tools.issue(number));
  return {
    'issue.number': () => String(number),
    ...textReaders('issue', ['title', 'body', 'author', 'url', 'labels'], known, issue),
    'issue.comments': async () => tools.textOf(await tools.issueComments(number)),
  };
}

/** From the payload, which is as it was when the event happened, and only what it lacks from GitHub. */
function textReaders(
  namespace: string,
  fields: readonly string[],
  known: readonly unknown[],
  read: () => Promise<EventTexts>,
): Readers {
  const texts: EventTexts = Object.assign({}, ...known.map(subjectTexts).toReversed());
  const entries = fields.map((field) => [
    `${namespace}.${field}`,
    async () => texts[field] ?? (await read())[field] ?? '',
  ]);
  return Object.fromEntries(entries);
}
