/**
 * Creates the JSON Schema of workflow files, for editors, from the schemas of the parser and from the additional
 * spellings that `normalize.ts` accepts. It allows more than the parser, because it cannot express rules between
 * keys.
 */

import { z } from 'zod';
import { defined } from '../../src/optional-keys.js';
import * as syntax from '../../src/workflow/syntax.js';

export interface JsonSchema {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly [key: string]: unknown;
}

const schemaHeader = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:gump-action:schema:workflow',
  title: 'Gump workflow',
  description: 'A workflow of coding agents, version 0.0.4 of the language, as gump-action runs it.',
};

export function workflowSchema(): JsonSchema {
  registerStepId();
  const generated = z.toJSONSchema(syntax.root, { io: 'input', unrepresentable: 'any' });
  const { $schema: _, ...schema } = normalizeSchema(generated as JsonSchema);
  return { ...schemaHeader, ...schema };
}

/** Steps within steps refer to the schema of a step by this id. */
function registerStepId(): void {
  const known = z.globalRegistry.get(syntax.step);
  if (known?.id === undefined) z.globalRegistry.add(syntax.step, { ...known, id: 'step' });
}

function normalizeSchema(schema: JsonSchema): JsonSchema {
  const { anyOf, items, $defs, properties, ...own } = schema;
  return {
    ...withoutDefaultMaximum(own),
    ...(anyOf && { anyOf: anyOf.map(normalizeSchema) }),
    ...(items && { items: normalizeSchema(items) }),
    ...(properties && {
      properties: mapProperties(properties, propertySchema),
      patternProperties: { '^x-': freeKey },
    }),
    ...($defs && { $defs: mapProperties($defs, (_, one) => normalizeSchema(one)) }),
  };
}

const freeKey = { description: 'For notes of the author. The action ignores it.' };

function propertySchema(key: string, schema: JsonSchema): JsonSchema {
  return key === 'agent' ? withUnquotedTemplate(schema) : normalizeSchema(schema);
}

/** `agent: {impl.agent}` without quotes is a mapping with one key and no value. */
function withUnquotedTemplate({ description, ...schema }: JsonSchema): JsonSchema {
  const template = {
    type: 'object',
    minProperties: 1,
    maxProperties: 1,
    additionalProperties: { type: 'null' },
  };
  return { ...defined({ description }), anyOf: [schema, template] };
}

/** Zod adds JavaScript's largest safe integer as a maximum, which means nothing to an author. */
function withoutDefaultMaximum({ maximum, ...schema }: JsonSchema): JsonSchema {
  return maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? schema : { ...schema, maximum };
}

function mapProperties(
  properties: Readonly<Record<string, JsonSchema>>,
  change: (key: string, schema: JsonSchema) => JsonSchema,
): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(Object.entries(properties).map(([key, schema]) => [key, change(key, schema)]));
}
