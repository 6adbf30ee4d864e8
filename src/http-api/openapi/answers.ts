import { ApiExtension, ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';
import type { ErrorCode } from '../../errors';
import { jsonSchemaOf } from './zod.decorators';

/** Names the operation that a route runs: words, statuses and answer are read from its declaration. */
export const OPERATION_OF_ROUTE = 'x-operation';

export interface AnswerOptions {
  /** Default 200. */
  readonly status?: number;
  readonly description?: string;
  /** Default `application/json`. */
  readonly type?: string;
}

/** `@Answer(schema)`: what a route answers when all is well, for the API's description. `null`: nothing. */
export function Answer(schema: z.ZodType | null, { status = 200, description = '', type = 'application/json' }: AnswerOptions = {}) {
  return ApiResponse({ status, description, ...(schema && { content: { [type]: { schema: jsonSchemaOf(schema, 'output') } } }) });
}

/** `@RunsOperation('acme.messages.send')`: a route of its own to an operation. */
export function RunsOperation(fullName: string) {
  return ApiExtension(OPERATION_OF_ROUTE, fullName);
}

/** A page of a list. */
export const pageOf = <T extends z.ZodType>(item: T) => z.object({ data: z.array(item), nextCursor: z.string().nullable() });

/** A moment, as text. */
export const moment = z.string().meta({ format: 'date-time' });

/** Typed as what it is; the list of all codes stands once, with the shape of failures. */
export const errorCode = z.string().describe('As `code` of a problem.') as unknown as z.ZodType<ErrorCode>;
