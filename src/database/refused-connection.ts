import { SettingsError } from '../config/settings-error';

/** SQLSTATEs of a server that answers and says no. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const REFUSALS: Readonly<Record<string, string>> = {
  '28000': 'the server does not let this role in; look at the role and at pg_hba.conf',
  '28P01': 'the server refuses the password of this role',
  '3D000': 'there is no such database on the server; make it first (CREATE DATABASE)',
  '42501': 'the role lacks a right that is needed; see "Roles of the database" in docs/operations.md',
};

/** What Node finds wrong with a certificate. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: 'is signed by an authority that is not known here; name its file with sslrootcert',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is signed by itself; name its file with sslrootcert',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'is signed by an authority that is not known here; name its file with sslrootcert',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'is signed by an authority that is not known here; name its file with sslrootcert',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another host name; use the name that it was made for',
  CERT_HAS_EXPIRED: 'has expired',
};

/** A server that was reached and refuses, or whose certificate is refused: the next try would end alike, so the start says it. Undefined for everything else. */
export function refusedConnection(error: unknown, variable: string): SettingsError | undefined {
  const { code = '', message, syscall, path } = error as Partial<NodeJS.ErrnoException>;
  const sentence = (text: string) => new SettingsError([`${variable}: ${text}`]);
  // The driver reads the files that an address names; a missing socket is told by `connect`.
  if (syscall === 'open') return sentence(`names the file ${path}, which cannot be read (${code})`);
  if (code in REFUSALS) return sentence(`${REFUSALS[code]} (${message})`);
  if (code in CERTIFICATE) return sentence(`the certificate of the server ${CERTIFICATE[code]} (${message})`);
  if (/does not support SSL/.test(message ?? ''))
    return sentence('asks for TLS (sslmode), and the server has none; turn it on there (ssl = on)');
  if (/client password must be a string/.test(message ?? '')) return sentence('the server asks for a password, and the address has none');
  return undefined;
}
