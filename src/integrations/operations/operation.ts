import type { z } from 'zod';
import type { ConnectionRef } from '../contract';

/** What an operation gets to work with. */
export interface OperationCall<Input> {
  readonly connection: ConnectionRef;
  readonly input: Input;
  /** Ours, stored before the first attempt and the same at every one: for what a provider can be searched by. */
  readonly operationId: string;
  /** For the provider's idempotency header: the same at every attempt. */
  readonly providerKey: string;
}

/**
 * A read or an action of a provider, declared once. The routes, the catalogue and the stored outcome are derived from it.
 * @typeParam I schema of what is sent
 * @typeParam O schema of what is answered
 */
export interface Operation<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  /** Unique within the provider, noun and verb, e.g. `messages.send`. */
  readonly name: string;
  readonly provider: string;
  /** Two or three words for a button. */
  readonly title: string;
  /** One or two sentences: what it does, and what it does not. */
  readonly description: string;
  readonly input: I;
  readonly output: O;
  /** `destructive`: what it removes or ends cannot be brought back by another operation. */
  readonly effect: 'read' | 'write' | 'destructive';
  /** All of them are needed. */
  readonly scopes: readonly string[];
  /** Wider scopes that do as well as one of `scopes`. */
  readonly widerScopes?: Readonly<Record<string, readonly string[]>>;
  /** Whether it makes something new: it is answered with 201. Default false. */
  readonly makes?: boolean;
  /** Done twice it is the same, like setting a value: after a doubtful end the caller may simply ask again. Default false. */
  readonly idempotent?: boolean;
  /**
   * How a repetition after a doubtful end is made safe. `provider-key`: the provider honours `providerKey`. `searchable`: `find` looks for it there.
   * `none`: it is never repeated, its outcome stays unknown. Of no meaning for a read.
   */
  readonly repeat: 'provider-key' | 'searchable' | 'none';
  /** @throws IntegrationError the provider's refusal in our words */
  run(call: OperationCall<z.output<I>>): Promise<z.output<O>>;
  /** Looks for what an operation made; undefined says nothing, since a provider's search may be behind. Where `repeat` is `searchable`. */
  find?(connection: ConnectionRef, operationId: string, signal: AbortSignal): Promise<z.output<O> | undefined>;
}

/** @throws Error where it says that it can be searched for and not how: a fault of the program, seen at start */
export function defineOperation<I extends z.ZodType, O extends z.ZodType>(operation: Operation<I, O>): Operation<I, O> {
  if (!/^[a-z][A-Za-z]*(\.[a-z][A-Za-z]*)+$/.test(operation.name)) throw new Error(`"${operation.name}" must be like messages.send.`);
  if ((operation.repeat === 'searchable') !== (operation.find !== undefined))
    throw new Error(`${operation.provider}.${operation.name}: \`find\` belongs to \`repeat: 'searchable'\`, and to that only.`);
  return operation;
}

/** Name among all providers: of stored outcomes and in the request log. */
export function fullNameOf({ provider, name }: Pick<Operation, 'provider' | 'name'>): string {
  return `${provider}.${name}`;
}
