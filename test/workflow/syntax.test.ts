import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { codes } from '../../src/workflow/diagnostic-codes.js';
import { root } from '../../src/workflow/syntax.js';

interface JsonSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** The paths of all keys without a description. */
function undescribed(schema: JsonSchema, path = ''): readonly string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => [
    ...(value.description ? [] : [`${path}/${key}`]),
    ...undescribed(value, `${path}/${key}`),
  ]);
  const inner = [...(schema.items ? [schema.items] : []), ...(schema.anyOf ?? [])];
  return [...own, ...inner.flatMap((one) => undescribed(one, path))];
}

describe('the schemas', () => {
  const schema = z.toJSONSchema(root, { io: 'input' }) as JsonSchema;

  it('describe every key', () => {
    expect(Object.keys(schema.properties ?? {})).toEqual([
      ...['name', 'session-match', 'on-pause', 'max_tokens', 'max_budget', 'max_timeout', 'steps'],
    ]);
    expect(undescribed(schema)).toEqual([]);
  });

  it('explain every code in one line', () => {
    for (const { meaning } of Object.values(codes)) expect(meaning).toMatch(/^[A-Z`].*\.$/);
  });
});
