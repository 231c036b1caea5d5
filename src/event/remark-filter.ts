/** Leaves out the comments of people who may not write to the repository: their text could instruct an agent. */
import type { GitHubApiOptions } from '../github/github-api.js';
import { createPermissionLookup, isAllowedBot, mayWrite } from '../security/permission.js';
import { once, onceForEach } from './once.js';
import type { Remark } from './remarks.js';

export interface RemarkFilterOptions {
  readonly api: GitHubApiOptions;
  /** Whose comments are read: of people with write permission, or of everybody. */
  readonly includeComments: 'writers' | 'all';
  /** The input `allowed-bots`. Their comments are read, too. */
  readonly allowedBots: readonly string[];
}

/** Workflows of the repository write as this bot, also this action. */
const ownBot = 'github-actions[bot]';

/**
 * Returns the remarks that may be read. Asks GitHub about each author once: `author_association` is no proof, because a
 * member of the organization need not have write permission. Rejects with a `UserError` if GitHub does not answer.
 */
export function createRemarkFilter({
  api,
  includeComments,
  allowedBots,
}: RemarkFilterOptions): (remarks: readonly Remark[]) => Promise<readonly Remark[]> {
  const openLookup = once(() => createPermissionLookup(api));
  const isWriter = onceForEach(async (login: string) => mayWrite(await (await openLookup())(login)));
  const isReadable = async ({ author }: Remark): Promise<boolean> => {
    if (author === undefined) return false;
    const isBot = author.isBot || author.login.endsWith('[bot]');
    if (isBot) return author.login === ownBot || isAllowedBot(author.login, allowedBots);
    return isWriter(author.login);
  };
  return async (remarks) => {
    if (includeComments === 'all') return remarks;
    const readable = await Promise.all(remarks.map(isReadable));
    return remarks.filter((_, index) => readable[index]);
  };
}
