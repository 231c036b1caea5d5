/** Every route of the GitHub server. One file per part of the API. */
import { artifactRoutes } from './artifacts.js';
import { commitRoutes } from './commits.js';
import { compareRoutes } from './compare.js';
import { conversationRoutes } from './conversations.js';
import { gitDataRoutes } from './git-data.js';
import { graphqlRoutes } from './graphql.js';
import { issueRoutes } from './issues.js';
import { pullWriteRoutes } from './pull-writes.js';
import { pullRoutes } from './pulls.js';
import { reviewRoutes } from './reviews.js';
import type { Route } from './router.js';
import { runRoutes } from './runs.js';
import type { GitHubState } from './state.js';

export function githubRoutes(state: GitHubState): readonly Route[] {
  const parts = [
    artifactRoutes,
    commitRoutes,
    compareRoutes,
    conversationRoutes,
    gitDataRoutes,
    graphqlRoutes,
    issueRoutes,
    pullRoutes,
    pullWriteRoutes,
    reviewRoutes,
    runRoutes,
  ];
  return parts.flatMap((routes) => routes(state));
}
