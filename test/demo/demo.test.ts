import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const script = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url));
const readme = fileURLToPath(new URL('../../README.md', import.meta.url));
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
    expect(stdout).toContain('Error: Step `impl` failed at attempt 3 (gate)');
    expect(stdout).toContain('✓ tests: passed in job attempt 1, result reused');
    expect(stdout).toMatch(/ {2}> Attempt 3 at this task failed/);
    // Workflow commands are applied, not shown.
    expect(stdout).not.toMatch(/^\s*::/m);
    // The table fits a terminal, and nothing of it is cut off.
    const tables = stdout.match(/^ +Step .*\n(?: +. .*\n)+ +Total .*$/gm) ?? [];
    expect(tables).toHaveLength(2);
    for (const line of tables.join('\n').split('\n')) {
      expect(line.length).toBeLessThanOrEqual(80);
      expect(line).not.toContain('…');
    }
    // It runs the workflow of the README.
    const shown =
      /\.gump\/workflows\/tdd\.yaml \n\n((?: {2}.*\n|\n)+?)\n Job attempt 1/.exec(stdout)?.[1] ?? '';
    const workflow = shown.replaceAll(/^ {2}/gm, '').trimEnd();
    expect(parse(workflow)).toMatchObject({ name: 'tdd', steps: [{ name: 'tests' }, { name: 'impl' }] });
    expect(readFileSync(readme, 'utf8')).toContain(`\`\`\`yaml\n${workflow}\n\`\`\``);
    expect({ status, stderr, remaining }).toEqual({ status: 0, stderr: '', remaining: [] });
  });

  it('reports what is missing if the real CLI is unavailable', () => {
    const { status, stdout, remaining } = runDemo('--agent', 'claude-haiku');
    expect(stdout).toContain('`claude` is not on PATH');
    expect({ status, remaining }).toEqual({ status: 1, remaining: [] });
  });
});
