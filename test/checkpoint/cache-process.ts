/** Prepares the test process for `@actions/cache` like a job's process, and restores it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CacheTools, prepareCacheClient } from '../../src/checkpoint/cache-client.js';
import { type CacheGrant, type CacheService, startCacheService } from '../rig/cache-service.js';

export interface CacheProcess {
  readonly service: CacheService;
  /** The variables that the runner sets. `process.env` is changed to them. */
  readonly env: Readonly<Record<string, string>>;
  /** The client's directory on the current simulated machine. */
  readonly directory: string;
  /** Of the current machine. */
  readonly tools: CacheTools;
  /** Changes to a machine that shares only the service with the one before. */
  moveToNewMachine(path?: string): Promise<string>;
  close(): Promise<void>;
}

const grant: CacheGrant = { repository: 'o/r', read: ['refs/heads/main'], write: 'refs/heads/main' };

export async function startCacheProcess(granted: CacheGrant = grant): Promise<CacheProcess> {
  const before = { env: { ...process.env }, cwd: process.cwd() };
  const service = await startCacheService();
  const roots: string[] = [];
  const env = {
    GITHUB_SERVER_URL: 'https://github.com',
    ACTIONS_CACHE_SERVICE_V2: 'True',
    ACTIONS_RESULTS_URL: service.url,
    ACTIONS_RUNTIME_TOKEN: service.token(granted),
  };
  let tools: CacheTools = { missing: [], renew: () => undefined };
  const moveToNewMachine = async (path = before.env.PATH): Promise<string> => {
    const root = await mkdtemp(join(tmpdir(), 'gump-cache-'));
    roots.push(root);
    // Machines differ in the depth of their directories and in the tools on PATH.
    const directory = join(root, ...Array.from({ length: roots.length }, (_, depth) => `deep${depth}`));
    Object.assign(process.env, env, { PATH: path });
    delete process.env.RUNNER_DEBUG;
    tools = prepareCacheClient(directory, process.env);
    return directory;
  };
  let directory = await moveToNewMachine();
  return {
    service,
    env,
    get directory() {
      return directory;
    },
    get tools() {
      return tools;
    },
    moveToNewMachine: async (path) => {
      directory = await moveToNewMachine(path);
      return directory;
    },
    close: async () => {
      process.chdir(before.cwd);
      for (const name of Object.keys(process.env)) delete process.env[name];
      Object.assign(process.env, before.env);
      await service.close();
      for (const root of roots) await rm(root, { recursive: true, force: true });
    },
  };
}
