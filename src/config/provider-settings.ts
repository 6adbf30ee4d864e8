import { z } from 'zod';

export type Env = Readonly<Record<string, string | undefined>>;

/** What the settings of every provider have. Verifying secrets may be several (during a roll): any of them is good. */
export interface ProviderSettings {
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** Empty where none is set: then every delivery is refused. */
  readonly webhookSecrets: readonly string[];
  /** Scopes that may be asked for besides those that the provider's facts name. */
  readonly scopes?: readonly string[];
  readonly authorizeUrl?: string;
  readonly tokenUrl?: string;
  readonly revokeUrl?: string;
  readonly userinfoUrl?: string;
  readonly apiBaseUrl?: string;
}

/** What a provider reads of the environment. It stands in the provider's folder; the reader knows none of them by name. */
export interface ProviderSettingsDeclaration<S extends ProviderSettings = ProviderSettings> {
  /** The provider's key. */
  readonly key: string;
  /** Names in the environment and what may stand there; the messages say what to write. */
  readonly variables: z.ZodRawShape;
  /** What `read` gives where none of the variables is set. */
  readonly absent?: S;
  /** `fault` takes a sentence that begins with the name of the variable. Not called where a variable by itself is at fault. */
  read(values: Readonly<Record<string, unknown>>, fault: (sentence: string) => void): S;
}

/** Keeps the types of the variables for `read`. */
export function declareProviderSettings<V extends z.ZodRawShape, S extends ProviderSettings>(declaration: {
  readonly key: string;
  readonly variables: V;
  read(values: z.output<z.ZodObject<V>>, fault: (sentence: string) => void): S;
}): ProviderSettingsDeclaration<S> {
  return declaration as unknown as ProviderSettingsDeclaration<S>;
}

/** The settings of one provider, of its own type; those of an empty environment where the process read none of it. */
export function providerSettings<S extends ProviderSettings>(
  settings: { readonly providers: Readonly<Record<string, ProviderSettings>> },
  declaration: ProviderSettingsDeclaration<S>,
): S {
  return (settings.providers[declaration.key] as S | undefined) ?? readProviderSettings({}, declaration, []);
}

/** Reads one provider's settings; what is wrong with them is added to `faults`. */
export function readProviderSettings<S extends ProviderSettings>(
  env: Env,
  { variables, read, absent }: ProviderSettingsDeclaration<S>,
  faults: string[],
): S {
  // Of a hundred providers few are set: a schema is made for those only.
  if (absent && !Object.keys(variables).some((name) => env[name] !== undefined)) return absent;
  const parsed = z.object(variables).safeParse(env);
  if (!parsed.success) {
    faults.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
    return read(z.object(variables).parse({}), () => undefined);
  }
  return read(parsed.data, (sentence) => faults.push(sentence));
}

/** An address in place of the provider's own: the sandbox's, or a recording proxy's. */
export const addressVariable = () => z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional();

/** Scopes, separated by spaces or commas. */
export const scopesVariable = () =>
  z
    .string()
    .transform((value) => value.split(/[\s,]+/).filter(Boolean))
    .optional();

/** Several secrets, comma-separated. */
export const secretsVariable = () =>
  z
    .string()
    .default('')
    .transform((value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    );

/** An id and a secret that are worth nothing without each other. */
export function askForBoth(
  values: Readonly<Record<string, unknown>>,
  [id, secret]: readonly [id: string, secret: string],
  where: string,
  fault: (sentence: string) => void,
): void {
  if (values[id] && !values[secret]) fault(`${id}: set without its secret; set ${secret} too (${where})`);
  if (values[secret] && !values[id]) fault(`${secret}: set without its id; set ${id} too (${where})`);
}
