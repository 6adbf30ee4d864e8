import { Body, Param, Query, type PipeTransform } from '@nestjs/common';
import { ApiBody, ApiQuery } from '@nestjs/swagger';
import { z } from 'zod';
import { IntegrationError, type ErrorCode } from '../../errors';

export interface FieldFault {
  readonly field: string;
  readonly message: string;
}

/** Validates with a zod schema. Unknown fields are refused, whichever kind of object was given. */
export class ZodPipe<T extends z.ZodType> implements PipeTransform<unknown, z.output<T>> {
  readonly schema: z.ZodType<z.output<T>>;

  constructor(schema: T) {
    this.schema = (schema instanceof z.ZodObject ? schema.strict() : schema) as unknown as z.ZodType<z.output<T>>;
  }

  /** @throws IntegrationError `invalid_request` that lists every field at fault */
  transform(value: unknown): z.output<T> {
    const result = this.schema.safeParse(value ?? {});
    if (result.success) return result.data;
    throw invalidFields(result.error.issues.flatMap(faultsOf));
  }
}

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

/** @returns the error for fields that are not as they should be */
export function invalidFields(fields: readonly FieldFault[]): IntegrationError {
  const shown = fields.slice(0, 20);
  return new IntegrationError('invalid_request', {
    detail: `${shown.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join('; ')}.`.slice(0, 1_000),
    extra: { fields: shown },
  });
}

type JsonSchema = Record<string, unknown>;

/** The schema of what may be sent, or is answered, for the API's description. */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output' = 'input'): JsonSchema {
  const json = z.toJSONSchema(schema, { io, target: 'openapi-3.0', unrepresentable: 'any' }) as JsonSchema;
  return Object.fromEntries(Object.entries(json).filter(([key]) => key !== '$schema'));
}

/** Applies one of the API description's method decorators from a parameter. */
function describe(target: object, key: string | symbol | undefined, decorator: MethodDecorator): void {
  const descriptor = key === undefined ? undefined : Object.getOwnPropertyDescriptor(target, key);
  if (key !== undefined && descriptor) decorator(target, key, descriptor);
}

function faultsOf(issue: z.core.$ZodIssue): FieldFault[] {
  const path = issue.path.map(String).join('.');
  if (issue.code !== 'unrecognized_keys') return [{ field: path, message: issue.message }];
  return issue.keys.map((key) => ({ field: [path, key.slice(0, 100)].filter(Boolean).join('.'), message: 'is not known here' }));
}
