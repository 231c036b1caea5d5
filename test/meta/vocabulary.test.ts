/** Terms of the code that people see: the docs explain every term, and only terms that exist. */
import { describe, expect, it } from 'vitest';
import { builtIns } from '../../src/builtin/builtin-workflows.js';
import { isWarningReason } from '../../src/engine/session-decision.js';
import { failureKinds } from '../../src/failure.js';
import { sessionReasons } from '../../src/journal/event.js';
import { providers } from '../../src/providers/provider-registry.js';
import { codes } from '../../src/workflow/diagnostic-codes.js';
import { gateTypes } from '../../src/workflow/gate-entries.js';
import * as syntax from '../../src/workflow/syntax.js';
import { unsupportedValue } from '../../src/workflow/unsupported.js';
import { readText, tableRows } from './project-files.js';

/** The rows of the table whose header row begins with these cells. */
function table(page: string, header: readonly string[]): readonly (readonly string[])[] {
  const all = tableRows(page);
  const begin = all.findIndex((cells) => header.every((cell, index) => cells[index] === cell));
  expect(begin, `${page} has a table ${header.join(' | ')}`).toBeGreaterThanOrEqual(0);
  const below = all.slice(begin + 2);
  const end = below.findIndex((_, index) => /^-+$/.test(below[index + 1]?.[0] ?? ''));
  return end < 0 ? below : below.slice(0, end);
}

const code = (text: string) => `\`${text}\``;

/** The section of a page under a heading of level 2. */
function section(title: string, path = 'docs/providers.md'): string {
  const page = readText(path);
  const begin = page.indexOf(`\n## ${title}\n`);
  expect(begin, `${path} has a section ${title}`).toBeGreaterThanOrEqual(0);
  const end = page.indexOf('\n## ', begin + 1);
  return page.slice(begin, end < 0 ? undefined : end);
}

/** The message for an unsupported value; `where` is the first column of the table in docs/workflow.md. */
function unsupportedMessage(where: string, name: string): string | undefined {
  return unsupportedValue(where, { kind: 'scalar', value: name, at: { start: 0, end: 0 } });
}
const first = (cells: readonly string[]) => cells[0] ?? '';

describe('tables of the pages', () => {
  it('list every code of a diagnostic, with its severity and meaning', () => {
    const expected = Object.entries(codes).map(([name, { severity, meaning }]) => [
      code(name),
      severity,
      meaning,
    ]);
    expect(table('docs/workflow.md', ['Code', 'Severity'])).toEqual(expected);
  });

  it('list every session reason, and whether it causes a warning', () => {
    const found = table('docs/sessions.md', ['Reason', 'Session', 'Warning']);
    expect(found.map((cells) => [cells[0], cells[2]])).toEqual(
      sessionReasons.map((reason) => [code(reason), isWarningReason(reason) ? 'yes' : 'no']),
    );
  });

  it('list every failure kind', () => {
    const found = table('docs/troubleshooting.md', ['Kind', 'What it means']);
    expect(found.map(first)).toEqual(failureKinds.map(code));
  });

  it('list every key of the root and of a step', () => {
    const keys = (schema: { readonly shape: object }) => Object.keys(schema.shape).map(code).sort();
    const all = table('docs/workflow.md', ['Key', 'Type', 'Default']);
    expect(all.map(first).sort()).toEqual(keys(syntax.root));
    const page = readText('docs/workflow.md').slice(readText('docs/workflow.md').indexOf('\n## Steps'));
    for (const key of keys(syntax.step)) expect(page).toContain(`\n| ${key} | `);
  });

  it.each<[string, string, { readonly shape: object }]>([
    ['`guard`', 'Limits', syntax.guard],
    ['`context`', 'Context', syntax.contextEntry],
    ['`retry`', 'Retries', syntax.retryEntry],
    ['`get`', 'Steps', syntax.getBlock],
    ['`run`', 'Steps', syntax.runBlock],
    ['`session`', 'Sessions', syntax.sessionMapping],
    ['`prompt`', 'Prompts and templates', syntax.promptFile],
    ['a gate', 'Gates', syntax.gateMapping],
  ])('list every key of %s under %s', (_, title, schema) => {
    const text = section(title, 'docs/workflow.md');
    // Without a value, `max_turns`, or with one, `touched: PATTERN`.
    const isListed = (key: string) => text.includes(`\`${key}\``) || text.includes(`\`${key}: `);
    const missing = Object.keys(schema.shape).filter((key) => !isListed(key));
    expect(missing).toEqual([]);
  });

  it('are checked for the keys of every mapping', () => {
    const mappings = Object.entries(syntax).flatMap(([name, schema]) => ('shape' in schema ? [name] : []));
    const listed = ['root', 'step', 'guard', 'contextEntry', 'retryEntry', 'getBlock', 'runBlock'];
    expect(mappings.sort()).toEqual([...listed, 'sessionMapping', 'promptFile', 'gateMapping'].sort());
  });

  it('list every built-in workflow, with its limit', () => {
    const found = table('docs/workflow.md', ['Name', 'Limit']).map((cells) => [cells[0], cells[1]]);
    const limits = Object.entries(builtIns).map(([name, text]) => [
      code(name),
      `$${/^max_budget: (\d+)$/m.exec(text)?.[1]}`,
    ]);
    expect([...found].sort()).toEqual(limits.sort());
  });

  it('list every step type', () => {
    const types = tableRows('docs/workflow.md').find((cells) => cells[0] === code('type'))?.[1];
    expect(types?.split(', ')).toEqual(syntax.step.shape.type.unwrap().options.map(code));
  });

  it('list only unsupported keys and values that have a message', () => {
    const found = table('docs/workflow.md', ['Where', 'Key']);
    for (const [place = '', words = ''] of found.filter((cells) => cells[0] !== 'values')) {
      const names = [...words.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
      expect(names.length).toBeGreaterThan(0);
      for (const name of names)
        expect(unsupportedMessage(place.replaceAll('`', ''), name), `${place} ${name}`).toBeDefined();
    }
  });

  it('list every gate', () => {
    const gates = table('docs/workflow.md', ['Gate', 'Passes when']).map(first).join(' ');
    for (const gate of gateTypes) expect(gates).toMatch(new RegExp(`\`${gate}[:\`]`));
  });
});

describe('tables of the providers', () => {
  const real = JSON.parse(readText('test/real/package.json')).dependencies as Readonly<
    Record<string, string>
  >;
  const pinned = Object.values(real).map((version) => version.replace(/^npm:.*@/, ''));
  const packages = new Set(
    Object.entries(real).map(([name, version]) => /^npm:(.*)@/.exec(version)?.[1] ?? name),
  );
  /** Replaces the version if the CLI was not available for tests. */
  const untested = 'not tested';

  it('list all providers in the README, with their tested versions', () => {
    const found = table('README.md', ['Provider', 'Agent names']);
    expect(found.map(first)).toEqual(providers.map(({ title }) => title));
    for (const [index, { id, executable }] of providers.entries()) {
      const cells = found[index] ?? [];
      expect(cells[1]).toContain(code(id));
      expect(cells[2]).toBe(code(executable));
    }
    const versions = found.flatMap((cells) => cells[4]?.split(', ') ?? []);
    expect([...versions].sort()).toEqual([...pinned, untested].sort());
  });

  it('list the same providers and versions in docs/providers.md', () => {
    const found = table('docs/providers.md', ['CLI', 'Tested versions']);
    const expected = table('README.md', ['Provider', 'Agent names']).map((cells) => [cells[0], cells[4]]);
    expect(found.map((cells) => [cells[0], cells[1]])).toEqual(expected);
  });

  it.each(providers)('have every tested package in the section of $title', ({ title }) => {
    const found = table('docs/providers.md', ['CLI', 'Tested versions']).find((cells) => cells[0] === title);
    const versions = found?.[1]?.split(', ') ?? [];
    const own = section(title);
    if (versions.includes(untested)) return expect(own).toContain('**Not tested.**');
    const line = /^Tested: (.*)$/m.exec(own)?.[1] ?? '';
    for (const version of versions) expect(line).toContain(version);
    expect([...packages].filter((name) => line.includes(code(name)))).toHaveLength(1);
  });

  it.each(providers)(
    'describe $title under the same headings as the others, in the same order',
    ({ title }) => {
      const headings = [...section(title).matchAll(/^\*\*([A-Z][a-z ]+)\.\*\*\s/gm)].map((match) => match[1]);
      const expectedHeadings = [
        'Agents',
        'Credentials',
        'Gateways',
        'Settings',
        'Permissions',
        'Sessions',
        'Usage and cost',
      ];
      expect(section(title)).toContain('\n**Agents.**');
      expect(headings.filter((heading) => expectedHeadings.includes(heading ?? ''))).toEqual(
        expectedHeadings.filter((heading) => headings.includes(heading)),
      );
      for (const heading of ['Credentials', 'Settings', 'Sessions', 'Usage and cost', 'Limits'])
        expect(headings).toContain(heading);
    },
  );

  it('have every model name', () => {
    for (const { id, title, models } of providers) {
      for (const [alias, model] of Object.entries(models)) {
        expect(section(title)).toContain(code(`${id}-${alias}`));
        if (model !== undefined) expect(section(title)).toContain(code(model));
      }
    }
  });

  it.each(providers)('have every variable, switch, credential and login of $title', ({ title, ...one }) => {
    const page = section(title);
    for (const environment of [one.environment, one.environmentForModel?.(undefined) ?? one.environment]) {
      const { variables, gateways, credentials, logins } = environment;
      const names = [
        ...variables,
        ...gateways.flatMap((gateway) => [gateway.when, ...gateway.variables]),
        ...credentials.map(({ variable }) => variable),
        ...logins.flatMap(({ contains }) => contains ?? []),
      ];
      for (const name of names) expect(page).toContain(code(name));
      for (const { file } of logins) expect(page).toContain(`/${file}\``);
    }
  });

  it('have every credential that seals a checkpoint', () => {
    const list = /static credentials of the providers[\s\S]*?: (.*?)\. /.exec(
      readText('docs/checkpoint.md'),
    )?.[1];
    const sealing = providers.flatMap(({ environment }) =>
      environment.credentials.filter(({ isStatic }) => isStatic).map(({ variable }) => code(variable)),
    );
    expect(list?.split(', ')).toEqual([...new Set(sealing)].sort());
  });
});
