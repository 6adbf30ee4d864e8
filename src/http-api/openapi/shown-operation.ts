import type { Schema } from './example-of';

export interface Content {
  readonly schema?: Schema & { readonly $ref?: string };
  readonly example?: unknown;
}

/** An operation as the pages read it. */
export interface ShownOperation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly tag: string;
  readonly operation: {
    readonly summary?: string;
    readonly description?: string;
    readonly security?: readonly unknown[];
    readonly parameters?: readonly { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
    readonly requestBody?: { readonly required?: boolean; readonly content?: Readonly<Record<string, Content>> };
    readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: Readonly<Record<string, Content>> }>>;
  };
}
