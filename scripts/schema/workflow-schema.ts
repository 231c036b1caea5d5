/**
 * The JSON Schema of workflow files, for editors: made of the schemas that the parser holds a file against, and of
 * what the parser reads leniently before (`lenient.ts`). It allows somewhat more than the parser does: what must
 * hold between keys is beyond it.
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
  const made = z.toJSONSchema(syntax.root, { io: 'input', unrepresentable: 'any' });
  const { $schema: _, ...schema } = normalizeSchema(made as JsonSchema);
  return { ...schemaHeader, ...schema };
}

/** The steps within steps refer to it by this name. */
function registerStepId(): void {
  const known = z.globalRegistry.get(syntax.step);
  if (known?.id === undefined) z.globalRegistry.add(syntax.step, { ...known, id: 'step' });
}

function normalizeSchema(schema: JsonSchema): JsonSchema {
  const { anyOf, items, $defs, properties, ...own } = schema;
  return {
    ...withoutNeedlessLimit(own),
    ...(anyOf && { anyOf: anyOf.map(normalizeSchema) }),
    ...(items && { items: normalizeSchema(items) }),
    ...(properties && {
      properties: mapProperties(properties, propertySchema),
      patternProperties: { '^x-': freeKey },
    }),
    ...($defs && { $defs: mapProperties($defs, (_, one) => normalizeSchema(one)) }),
  };
}

const freeKey = { description: 'Free for the author. The action ignores it.' };

function propertySchema(key: string, schema: JsonSchema): JsonSchema {
  return key === 'agent' ? withBareTemplate(schema) : normalizeSchema(schema);
}

/** `agent: {impl.agent}` without quotes is a mapping of one key to nothing. */
function withBareTemplate({ description, ...schema }: JsonSchema): JsonSchema {
  const bare = { type: 'object', minProperties: 1, maxProperties: 1, additionalProperties: { type: 'null' } };
  return { ...defined({ description }), anyOf: [schema, bare] };
}

/** JavaScript's largest whole number says nothing to an author. */
function withoutNeedlessLimit({ maximum, ...schema }: JsonSchema): JsonSchema {
  return maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? schema : { ...schema, maximum };
}

function mapProperties(
  of: Readonly<Record<string, JsonSchema>>,
  change: (key: string, schema: JsonSchema) => JsonSchema,
): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(Object.entries(of).map(([key, schema]) => [key, change(key, schema)]));
}
