import { Body, Param, Query } from '@nestjs/common';
import { ApiBody, ApiQuery } from '@nestjs/swagger';
import { z } from 'zod';
import { IntegrationError, type ErrorCode } from '../../errors';
import { ZodPipe } from './zod.pipe';

/** `@ZodBody(schema) body: z.infer<typeof schema>` */
export const ZodBody =
  (schema: z.ZodType): ParameterDecorator =>
  (target, key, index) => {
    const pipe = new ZodPipe(schema);
    const required = !pipe.schema.safeParse({}).success;
    describe(target, key, ApiBody({ schema: jsonSchemaOf(pipe.schema), required }));
    Body(pipe)(target, key, index);
  };

/** `@ZodQuery(schema) query: z.infer<typeof schema>`; values come as text, so numbers need `z.coerce`. */
export const ZodQuery =
  (schema: z.ZodType): ParameterDecorator =>
  (target, key, index) => {
    const { properties = {}, required = [] } = jsonSchemaOf(schema) as JsonSchema & {
      properties?: Record<string, JsonSchema>;
      required?: string[];
    };
    for (const [name, property] of Object.entries(properties))
      describe(target, key, ApiQuery({ name, required: required.includes(name), schema: property }));
    Query(new ZodPipe(schema))(target, key, index);
  };

/** A UUID in the path. What is none cannot exist: it is answered like a missing one. */
export const IdParam = (name = 'id', missing: ErrorCode = 'connection_not_found'): ParameterDecorator =>
  Param(name, {
    transform(value: unknown) {
      if (!z.guid().safeParse(value).success) throw new IntegrationError(missing);
      return value;
    },
  });

type JsonSchema = Record<string, unknown>;

/** The schema of what may be sent, or is answered, for the API's description. */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output' = 'input'): JsonSchema {
  const json = z.toJSONSchema(schema, { io, target: 'openapi-3.0', unrepresentable: 'any', override: inWordsOf30 }) as JsonSchema;
  return Object.fromEntries(Object.entries(json).filter(([key]) => key !== '$schema'));
}

/** OpenAPI 3.0 says in `format` what JSON Schema says in `contentEncoding`. */
function inWordsOf30({ jsonSchema }: { jsonSchema: JsonSchema }): void {
  if (jsonSchema['contentEncoding'] === undefined) return;
  delete jsonSchema['contentEncoding'];
  jsonSchema['format'] = 'byte';
}

/** Applies one of the API description's method decorators from a parameter. */
function describe(target: object, key: string | symbol | undefined, decorator: MethodDecorator): void {
  const descriptor = key === undefined ? undefined : Object.getOwnPropertyDescriptor(target, key);
  if (key !== undefined && descriptor) decorator(target, key, descriptor);
}
