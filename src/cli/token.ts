import '../require-node';
import { SignJWT } from 'jose';
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { ROLES, type Role } from '../http-api/principal/principal';
import { systemClock } from '../clock';
import { readEnvironment } from '../config/env';
import { SettingsError } from '../config/settings-error';
import { keepFilesPrivate } from '../config/data-folder';

const USAGE = 'Usage: npm run -s token -- --tenant acme --user u1 [--role user|admin|operator] [--ttl 3600]';

/** Prints an access token for trying things out, and nothing else. The product's backend makes its own. */
async function main(): Promise<void> {
  const { tenant, user, role, ttl } = readArguments();
  const { apiJwtSecret } = readEnvironment([]);
  if (!apiJwtSecret)
    throw new SettingsError(['API_JWT_SECRET: not set; with API_JWKS_URL alone, tokens come from whoever holds its private keys']);
  const now = Math.floor(systemClock.now() / 1_000);
  const token = await new SignJWT({ tenant, role })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setExpirationTime(now + ttl)
    .sign(new TextEncoder().encode(apiJwtSecret));
  process.stdout.write(`${token}\n`);
}

function readArguments(): { tenant: string; user: string; role: Role; ttl: number } {
  const { values } = parseArgs({
    options: {
      tenant: { type: 'string' },
      user: { type: 'string' },
      role: { type: 'string', default: 'user' },
      ttl: { type: 'string', default: '3600' },
    },
  });
  const role = ROLES.find((known) => known === values.role);
  const ttl = Number(values.ttl);
  if (!values.tenant || !values.user || !role || !Number.isInteger(ttl) || ttl <= 0) throw new Error(USAGE);
  return { tenant: values.tenant, user: values.user, role, ttl };
}

keepFilesPrivate();
main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${error instanceof SettingsError || message === USAGE ? message : `${message}\n${USAGE}`}\n`);
  process.exitCode = 1;
});
