/** CLIs that are installed during a run: an interrupted or failed installation is repeated. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createActionContext } from '../../src/action/action-context.js';
import { openClis } from '../../src/action/clis.js';
import { codex } from '../../src/providers/codex.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gump-clis-'));
  mkdirSync(join(directory, 'bin'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Installs a fake npm that runs this JavaScript. */
function installFakeNpm(code: string): void {
  // The program itself stays the same, because a replaced one is not used.
  const program = join(directory, 'bin', 'npm');
  const script = join(directory, 'npm-script.cjs');
  if (!existsSync(program))
    writeFileSync(program, `#!${process.execPath}\nrequire(${JSON.stringify(script)});\n`, { mode: 0o755 });
  writeFileSync(script, `const fs = require('node:fs');\n${code}\n`);
}

const installCode = `
  fs.mkdirSync('node_modules/.bin', { recursive: true });
  fs.writeFileSync('node_modules/.bin/codex', '#!/bin/sh\\necho running\\n', { mode: 0o755 });`;

function openTestClis() {
  const environment = {
    PATH: join(directory, 'bin'),
    HOME: directory,
    RUNNER_TEMP: directory,
    RUNNER_TOOL_CACHE: join(directory, 'tools'),
    GITHUB_WORKSPACE: directory,
    GITHUB_REPOSITORY: 'o/r',
    GITHUB_REPOSITORY_ID: '1',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_SHA: '0'.repeat(40),
    GITHUB_EVENT_NAME: 'push',
    GITHUB_WORKFLOW_REF: 'o/r/.github/workflows/flow.yml@refs/heads/main',
    GITHUB_ACTOR: 'someone',
    RUNNER_OS: 'Linux',
    GITHUB_RUN_ID: '1',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_JOB: 'job',
    GITHUB_ACTION: 'gump',
    INPUT_WORKFLOW: 'flow',
  };
  return openClis(createActionContext(environment, [codex]), { directory, canInstall: true });
}

async function linesOf(clis: ReturnType<typeof openTestClis>): Promise<readonly string[]> {
  const lines: string[] = [];
  const env = { PATH: join(directory, 'bin') };
  const onLine = (line: string) => void lines.push(line);
  await clis.processes.run({ file: 'codex', args: [], directory, env, onLine });
  return lines;
}

describe('an incomplete installation', () => {
  it('is repeated after it was interrupted', async () => {
    const mark = join(directory, 'started');
    installFakeNpm(`fs.writeFileSync(${JSON.stringify(mark)}, ''); setTimeout(() => {}, 600000);`);
    const clis = openTestClis();
    const end = new AbortController();
    const interrupted = clis.ensureInstalled([codex], end.signal);
    await expect.poll(() => existsSync(mark)).toBe(true);
    end.abort();
    await interrupted;
    installFakeNpm(installCode);
    expect(await linesOf(clis)).toEqual(['running']);
  });

  it('is repeated after it failed, but not after it succeeded', async () => {
    installFakeNpm('process.exit(1);');
    const clis = openTestClis();
    const { signal } = new AbortController();
    await expect(clis.ensureInstalled([codex], signal)).rejects.toThrow('could not be installed');
    installFakeNpm(installCode);
    await clis.ensureInstalled([codex], signal);
    installFakeNpm('process.exit(1);');
    expect(await linesOf(clis)).toEqual(['running']);
  });
});
