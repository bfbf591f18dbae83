import { resourceMetadataUrl } from '../../resource/resource-metadata-url.js';
import { canonicalResource, identifierProblem, splitUrl, urlProblem } from '../../options/url-rules.js';
import { parameterOf } from '../challenge-grammar.js';
import type { Check, DoctorContext, Json } from '../context.js';
import { fetchDocument, type FetchedDocument, FOREIGN_ORIGIN } from '../fetch-document.js';
import { type Finding, findingsOf, ok } from '../finding.js';
import { rfc } from '../links.js';
import { textsOf } from '../messages.js';
import { RESOURCE_DOCUMENT_FINDINGS } from './resource-document.findings.js';

const finding = findingsOf(RESOURCE_DOCUMENT_FINDINGS);

/** The RFC 9728 documents. @internal */
export const resourceDocument: Check = {
  id: 'document',
  title: 'Metadata of the resource',
  async run(context) {
    const named = parameterOf(context.facts.challenge, 'resource_metadata');
    const byChallenge = named !== undefined && urlProblem(named) === undefined ? named : undefined;
    const byPath = resourceMetadataUrl(context.url);
    const byRoot = `${splitUrl(context.url).origin}/.well-known/oauth-protected-resource`;
    const urls = [...new Set([byChallenge ?? byPath, byPath, byRoot])];
    const fetched = await Promise.all(urls.map((url) => fetchDocument(context.http, url)));
    const [first, ...others] = fetched.filter(
      ({ url }) => url !== byRoot || url === byPath || url === byChallenge,
    );
    // At the root is the document of a resource at the root, or what older clients read.
    const last = fetched.find(({ url, json }) => url === byRoot && json !== undefined);
    const used = [first, ...others, last].find((each) => each?.json !== undefined);
    context.facts.document = used?.json;
    return [
      ...judgePlaces(first, others, used, byChallenge !== undefined),
      ...(used ? judgeAnswer(used) : []),
      ...(used?.json ? judgeResource(used.json, context) : []),
      ...(used?.json ? judgeMembers(used.json) : []),
    ];
  },
};

function judgePlaces(
  first: FetchedDocument | undefined,
  others: readonly FetchedDocument[],
  used: FetchedDocument | undefined,
  isNamed: boolean,
): readonly Finding[] {
  const unusable = isNamed && first?.json === undefined ? [first] : [];
  const findings = unusable.map((each) =>
    finding('document_unusable', { subject: each?.url, found: each?.found }),
  );
  if (!used)
    return isNamed ? findings : [finding('document_missing', { subject: first?.url, found: first?.found })];
  return [
    ...findings,
    ok('document', 'The metadata document is served', rfc(9728, '3'), { found: used.url }),
    ...(isNamed ? others : [first]).flatMap((each) => judgeOther(each, used)),
  ];
}

function judgeOther(each: FetchedDocument | undefined, used: FetchedDocument): readonly Finding[] {
  if (!each || each === used) return [];
  if (!each.json) return [finding('document_not_at_path', { subject: each.url, found: each.found })];
  const isSame = ['resource', 'authorization_servers'].every(
    (name) => JSON.stringify(each.json?.[name]) === JSON.stringify(used.json?.[name]),
  );
  return isSame ? [] : [finding('documents_disagree', { found: `${each.url} and ${used.url}` })];
}

function judgeAnswer({ mediaType, allowedOrigin, url }: FetchedDocument): readonly Finding[] {
  const isJson = /^application\/(?:[\w.-]+\+)?json\b/i.test(mediaType ?? '');
  return [
    ...(isJson
      ? []
      : [finding('document_media_type', { subject: url, found: mediaType ?? 'no Content-Type' })]),
    ...(allowedOrigin === '*' || allowedOrigin === FOREIGN_ORIGIN
      ? []
      : [finding('document_without_cors', { found: allowedOrigin ?? 'no such header' })]),
  ];
}

/** @internal */
export function judgeResource(document: Json, { url }: Pick<DoctorContext, 'url'>): readonly Finding[] {
  const { resource } = document;
  if (typeof resource !== 'string') return [finding('resource_missing')];
  const details = { expected: url, found: resource };
  if (withoutRoot(resource) === withoutRoot(url)) {
    return [ok('resource', '"resource" is exactly the URL', rfc(9728, '3.3'), { found: resource })];
  }
  const [given, named] = [canonicalResource(url), canonicalResource(resource)];
  if (given === named) return [finding('resource_spelling', details)];
  const isParent = given.startsWith(named.endsWith('/') ? named : `${named}/`);
  return [finding(isParent ? 'resource_is_parent' : 'resource_mismatch', details)];
}

/** Returns a URL without the slash of an empty path: URL parsers add it, and clients compare what they have parsed. */
function withoutRoot(url: string): string {
  const { origin, path } = splitUrl(url);
  return path === '/' && url.length === origin.length + 1 ? origin : url;
}

/** @internal */
export function judgeMembers(document: Json): readonly Finding[] {
  const { authorization_servers: servers, bearer_methods_supported: methods } = document;
  const given = Array.isArray(servers) ? (servers as unknown[]) : [];
  const wrong = given.filter((each) => typeof each !== 'string' || identifierProblem(each) !== undefined);
  const supported = textsOf(methods);
  return [
    ...(given.length > 0 ? [] : [finding('authorization_servers_missing')]),
    ...wrong.map((each) => finding('authorization_server_malformed', { found: JSON.stringify(each) })),
    ...(methods === undefined || supported.includes('header')
      ? []
      : [finding('header_not_supported', { found: JSON.stringify(methods) })]),
    ...(supported.some((each) => each !== 'header')
      ? [finding('query_supported', { found: supported.join(' ') })]
      : []),
    ...(textsOf(document['scopes_supported']).length > 0 ? [] : [finding('scopes_supported_missing')]),
  ];
}
