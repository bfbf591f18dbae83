import { hash, X509Certificate } from 'node:crypto';
import type { CertificateHeaderFormat } from '../options/mutual-tls-options.js';

/** Exactly one certificate, and nothing before or after it. */
const PEM = /^-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----\s*$/;

/** Base64 with its padding. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A pair of an element of `x-forwarded-client-cert`: a value is quoted if it has a separator. */
const PAIR = /^([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;=]*))(;|$)/;

/** An element may have several names of its certificate, but one certificate. */
const REPEATED: ReadonlySet<string> = new Set(['uri', 'dns']);

/**
 * Returns the thumbprint of a certificate as `x5t#S256` has it: SHA-256 of its DER form, in base64url.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-3.1 | RFC 8705 section 3.1}
 * @internal
 */
export function thumbprintOf(der: Buffer): string {
  return hash('sha256', der, 'base64url');
}

/**
 * Returns the thumbprint of the certificate in a header.
 *
 * @param value - of one line
 * @returns undefined if the value does not have the form, or has no certificate or several
 * @internal
 */
export function thumbprintIn(value: string, format: CertificateHeaderFormat): string | undefined {
  if (format === 'url-encoded-pem') return ofPem(value);
  return format === 'xfcc' ? ofElement(value) : ofByteSequence(value);
}

function ofPem(encoded: string): string | undefined {
  const [, body] = PEM.exec(percentDecoded(encoded) ?? '') ?? [];
  return body === undefined ? undefined : ofBase64(body.replace(/[\r\n]/g, ''));
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9440#section-2.2 | RFC 9440 section 2.2} */
function ofByteSequence(value: string): string | undefined {
  const [, body] = /^:([A-Za-z0-9+/=]*):$/.exec(value) ?? [];
  return body === undefined ? undefined : ofBase64(body);
}

/**
 * Several elements are several proxies: nothing tells which of them the client's certificate belongs to.
 *
 * @see {@link https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert | Envoy, x-forwarded-client-cert}
 */
function ofElement(value: string): string | undefined {
  const members = membersOf(value);
  const certificate = members?.get('cert');
  if (certificate !== undefined) return ofPem(certificate);
  const digest = members?.get('hash') ?? '';
  return /^[\da-f]{64}$/i.test(digest) ? Buffer.from(digest, 'hex').toString('base64url') : undefined;
}

/** Returns the pairs of one element by their name in lower case; undefined if there is anything else, or a name twice. */
function membersOf(element: string): ReadonlyMap<string, string> | undefined {
  const members = new Map<string, string>();
  for (let rest = element; rest !== '';) {
    const pair = PAIR.exec(rest);
    if (!pair) return undefined;
    const [whole, name = '', quoted, bare = ''] = pair;
    const key = name.toLowerCase();
    if (members.has(key) && !REPEATED.has(key)) return undefined;
    members.set(key, quoted?.replace(/\\(.)/g, '$1') ?? bare);
    rest = rest.slice(whole.length);
  }
  return members;
}

function ofBase64(text: string): string | undefined {
  if (!BASE64.test(text)) return undefined;
  const der = Buffer.from(text, 'base64');
  try {
    const { raw } = new X509Certificate(der);
    // Nothing behind the certificate.
    return raw.equals(der) ? thumbprintOf(raw) : undefined;
  } catch {
    return undefined;
  }
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
