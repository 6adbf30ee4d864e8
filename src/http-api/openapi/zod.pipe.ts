import type { PipeTransform } from '@nestjs/common';
import { z } from 'zod';
import { IntegrationError } from '../../errors';

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

/** @returns the error for fields that are not as they should be */
export function invalidFields(fields: readonly FieldFault[]): IntegrationError {
  const shown = fields.slice(0, 20);
  return new IntegrationError('invalid_request', {
    detail: `${shown.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join('; ')}.`.slice(0, 1_000),
    extra: { fields: shown },
  });
}

function faultsOf(issue: z.core.$ZodIssue): FieldFault[] {
  const path = issue.path.map(String).join('.');
  if (issue.code !== 'unrecognized_keys') return [{ field: path, message: issue.message }];
  return issue.keys.map((key) => ({ field: [path, key.slice(0, 100)].filter(Boolean).join('.'), message: 'is not known here' }));
}
