import { z } from 'zod';

export type JsonSchema = Readonly<Record<string, unknown>>;
export type Side = 'input' | 'output';

const prefix = '#/components/schemas/';

/** JSON Schema of one side of the API: of what is sent, or of what is answered. Each of the schemas has a name, by which the others refer to it. */
export const jsonSchemas = (
  side: Side,
  named: Readonly<Record<string, z.ZodType>>,
): Record<string, JsonSchema> => {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io: side,
    uri: (id) => `${prefix}${id}`,
    override: ({ jsonSchema }) => {
      // The format says it; the pattern of a date is a line of 400 characters.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      if (jsonSchema.type !== 'object' || jsonSchema.properties === undefined) return;
      // Unknown fields are refused where they are sent, and may come where they are answered.
      if (side === 'input') jsonSchema.additionalProperties ??= false;
      else delete jsonSchema.additionalProperties;
    },
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _, $id: __, ...schema }]) => [id, schema]),
  );
};

export const referenceTo = (id: string): JsonSchema => ({ $ref: `${prefix}${id}` });
