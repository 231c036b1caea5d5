import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url));
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function runDemo(...args: readonly string[]) {
  const temp = mkdtempSync(join(tmpdir(), 'gump-demo-test-'));
  folders.push(temp);
  // The environment contains nothing of the user: no key, no login, no colors.
  const env = { PATH: '/usr/bin:/bin', HOME: temp, TMPDIR: temp };
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr, remaining: readdirSync(temp) };
}

describe('npm run demo', () => {
  it('shows both job attempts, proves all its claims, and leaves no files', () => {
    const { status, stdout, stderr, remaining } = runDemo();
    expect(stdout).not.toContain('NOT SEEN');
    expect(stdout.match(/^✓ .*$/gm)?.filter((line) => !line.includes('attempt 1:')).length).toBeGreaterThan(
      7,
    );
    expect(stdout).toContain('Error: Step `impl` failed at attempt 1 (gate)');
    expect(stdout).toContain('✓ tests: passed in job attempt 1, result reused');
    expect(stdout).toMatch(/ {2}> Attempt 1 at this task failed/);
    // Workflow commands are applied, not shown.
    expect(stdout).not.toMatch(/^\s*::/m);
    expect({ status, stderr, remaining }).toEqual({ status: 0, stderr: '', remaining: [] });
  });

  it('reports what is missing if the real CLI is unavailable', () => {
    const { status, stdout, remaining } = runDemo('--agent', 'claude-haiku');
    expect(stdout).toContain('`claude` is not on PATH');
    expect({ status, remaining }).toEqual({ status: 1, remaining: [] });
  });
});
