/**
 * Installing with the real npm: real CLIs from the registry of this machine's npm, into an empty tool cache, run against
 * the mock model; then again without a registry.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { claude } from '../../src/providers/claude.js';
import { gemini } from '../../src/providers/gemini.js';
import type { Provider } from '../../src/providers/provider.js';
import { pinnedVersions } from '../../src/providers/versions.js';
import { createMachine, type StepResult } from '../rig/machine.js';
import { startModelServer } from '../rig/model-server.js';
import { makeRepository } from '../rig/repository.js';
import { configureHome } from './real-cli.js';

/** A native program that needs its install script, and a script for Node. */
const cases: readonly { readonly provider: Provider; readonly agent: string }[] = [
  { provider: claude, agent: 'claude-haiku' },
  { provider: gemini, agent: 'gemini-25-flash' },
];

/** The machine has a new home, so it needs the npm settings for the registry from here. */
const userconfig = execFileSync('npm', ['config', 'get', 'userconfig'], { encoding: 'utf8' }).trim();
const network = Object.entries(process.env).filter(([name]) =>
  /^(?:npm_config_.*|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS)$/i.test(name),
);
const registryEnvironment = { ...Object.fromEntries(network), npm_config_userconfig: userconfig };
/** A port on which nothing listens. */
const unreachableRegistry = { npm_config_registry: 'http://127.0.0.1:9', npm_config_fetch_retries: '0' };

const workflow = (agent: string) => `name: flow
steps:
  - name: impl
    type: code
    agent: ${agent}
    prompt: "TOKEN-impl Do it. [[write:done.txt|done]] [[say:Done.]]"
    gate:
      - touched: done.txt
`;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Job attempts on separate machines that share a tool cache. */
async function createInstallHarness(agent: string) {
  const outside = mkdtempSync(join(tmpdir(), 'gump-install-'));
  cleanUps.push(() => rmSync(outside, { recursive: true, force: true }));
  const model = await startModelServer();
  cleanUps.push(() => model.close());
  const repository = await makeRepository({ '.gump/workflows/flow.yaml': workflow(agent) });
  cleanUps.push(() => repository.remove());
  const tools = join(outside, 'tools');
  return {
    tools,
    async attempt(
      env: NodeJS.ProcessEnv,
      inputs: Readonly<Record<string, string>> = {},
    ): Promise<StepResult> {
      const machine = await createMachine();
      cleanUps.push(() => machine.wipe());
      configureHome(machine.home, model.url);
      await machine.checkout(repository);
      return machine.runStep({
        inputs: { workflow: 'flow', 'state-store': `directory:${join(machine.root, 'state')}`, ...inputs },
        env: {
          RUNNER_TOOL_CACHE: tools,
          ANTHROPIC_BASE_URL: model.url,
          ANTHROPIC_API_KEY: 'dummy-anthropic-key-0123456789',
          GOOGLE_GEMINI_BASE_URL: model.url,
          GEMINI_API_KEY: 'dummy-gemini-key-0123456789',
          ...env,
        },
      });
    },
  };
}

describe.each(cases)('$provider.title', ({ provider, agent }) => {
  const version = pinnedVersions[provider.id] ?? '';

  test('is installed from the registry and works, and then again without one', async () => {
    const { attempt: runJob, tools } = await createInstallHarness(agent);
    const first = await runJob(registryEnvironment);
    expect(first.main.errors).toEqual([]);
    expect(first.main.outputs.status).toBe('passed');
    expect(first.main.log).toMatch(new RegExp(`^Installing ${provider.title}(?: CLI)? ${version} `, 'm'));
    expect(first.main.report?.steps[0]?.attempts[0]).toMatchObject({ cliVersion: version });
    expect(existsSync(join(tools, 'gump-clis', provider.id, version))).toBe(true);

    const second = await runJob(unreachableRegistry);
    expect(second.main.errors).toEqual([]);
    expect(second.main.outputs.status).toBe('passed');
    expect(second.main.log).not.toContain('Installing');
  });
});

test('a registry that does not answer and an unknown version are reported in one line each', async () => {
  const { attempt: runJob } = await createInstallHarness('codex');
  const key = { OPENAI_API_KEY: 'dummy-openai-key-0123456789' };
  const unreachable = await runJob({ ...key, ...unreachableRegistry });
  expect(unreachable.main.errors).toEqual([
    expect.stringMatching(
      /^Codex CLI \S+ could not be installed: the registry cannot be reached\..*ECONNREFUSED/,
    ),
  ]);
  const absent = await runJob({ ...key, ...registryEnvironment }, { 'cli-versions': 'codex: 0.0.987654' });
  expect(absent.main.errors).toEqual([
    expect.stringMatching(
      /^Codex CLI 0\.0\.987654 could not be installed: the registry has no such version\./,
    ),
  ]);
});
