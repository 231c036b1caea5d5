/** Checks `schema/workflow.json` with an independent validator, as editors use it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { type JsonSchema, workflowSchema } from '../../scripts/schema/workflow-schema.js';
import { builtIns } from '../../src/builtin/builtin-workflows.js';
import { readYaml } from '../../src/workflow/yaml.js';
import { toData } from '../../src/workflow/yaml-node.js';
import { readText } from '../meta/project-files.js';
import { fixtures } from './fixtures.js';

const schema: JsonSchema = JSON.parse(readText('schema/workflow.json'));
const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema);

/** Validates the data of a workflow, as our YAML reader returns it, and returns the paths of all errors. */
function errorPaths(workflow: string): readonly string[] {
  const { tree } = readYaml(workflow);
  if (tree === undefined) throw new Error('the file is empty');
  return validate(toData(tree)) ? [] : (validate.errors ?? []).map(({ instancePath }) => instancePath);
}

/** The paths of all keys without a description. */
function undescribed(one: JsonSchema, path = ''): readonly string[] {
  const own = Object.entries(one.properties ?? {}).flatMap(([key, value]) => [
    ...(value.description ? [] : [`${path}/${key}`]),
    ...undescribed(value, `${path}/${key}`),
  ]);
  const inner = [...(one.items ? [one.items] : []), ...(one.anyOf ?? []), ...Object.values(one.$defs ?? {})];
  return [...own, ...inner.flatMap((part) => undescribed(part, path))];
}

describe('schema/workflow.json', () => {
  it('matches the output of `npm run schema`', () => {
    expect(schema).toEqual(JSON.parse(JSON.stringify(workflowSchema())));
  });

  it('describes every key, and refers to nested steps by name', () => {
    expect(undescribed(schema)).toEqual([]);
    expect(Object.keys(schema.$defs ?? {})).toEqual(['step']);
    expect(schema.$defs?.step?.properties?.each?.items).toEqual({ $ref: '#/$defs/step' });
  });

  const validFiles = readdirSync(join(fixtures, 'good')).filter((name) => /\.ya?ml$/.test(name));

  it.each(validFiles)('accepts the valid workflow %s', (name) => {
    expect(errorPaths(readFileSync(join(fixtures, 'good', name), 'utf8'))).toEqual([]);
  });

  it.each(Object.keys(builtIns))('accepts the built-in workflow %s', (name) => {
    expect(errorPaths(builtIns[name] ?? '')).toEqual([]);
  });

  const step = (lines: string) =>
    `name: a\nsteps:\n  - name: b\n    type: code\n${lines.replace(/^/gm, '    ')}\n`;

  it('accepts the spellings of the language reference, and `x-` keys', () => {
    const workflow = step(`agent: {impl.agent}\nprompt: x\nsession: from: c\nx-note: {any: [thing]}`);
    expect(errorPaths(`x-top: 1\n${workflow}`)).toEqual([]);
  });

  it.each([
    ['an unknown key', step('agnet: claude'), '/steps/0'],
    ['an unknown key with a number', step('type2: x'), '/steps/0'],
    ['text instead of a list', step('gate: test'), '/steps/0/gate'],
    ['attempt 0', step('retry:\n  - attempt: 0'), '/steps/0/retry/0/attempt'],
    ['a session value of an earlier version', step('session: reuse'), '/steps/0/session'],
    ['a list as an agent', step('agent: [a]'), '/steps/0/agent'],
    ['no steps', 'name: a\nsteps: []', '/steps'],
    ['no name', 'steps:\n  - name: b', ''],
    ['an error within each', step('each:\n  - name: c\n    tpye: code'), '/steps/0/each/0'],
  ])('rejects %s', (_, workflow, place) => {
    expect(errorPaths(workflow)).toContain(place);
  });
});
