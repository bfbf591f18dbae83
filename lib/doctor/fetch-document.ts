import type { Json } from './context.js';
import { header, type HttpClient } from './http.js';
import { isObject, parseJson } from './messages.js';

/** What is at the address of a JSON document. @internal */
export interface FetchedDocument {
  readonly url: string;
  /** Undefined if there is no document; then `found` says what there is. */
  readonly json: Json | undefined;
  readonly found: string;
  readonly mediaType: string | undefined;
  readonly allowedOrigin: string | undefined;
}

/** An origin that no server knows. @internal */
export const FOREIGN_ORIGIN = 'https://origin.invalid';

/** Fetches a JSON object, as a page of another origin does. Never rejects. @internal */
export async function fetchDocument(http: HttpClient, url: string): Promise<FetchedDocument> {
  const headers = { accept: 'application/json', origin: FOREIGN_ORIGIN };
  const answer = await http.send({ method: 'GET', url, headers });
  const nothing = { url, json: undefined, mediaType: undefined, allowedOrigin: undefined };
  if (answer.kind === 'failure') return { ...nothing, found: answer.message };
  const { status, text, isCut } = answer;
  if (status >= 300 && status < 400) {
    return {
      ...nothing,
      found: `${String(status)}, a redirect to ${header(answer, 'location') ?? 'nowhere'}`,
    };
  }
  if (status !== 200) return { ...nothing, found: String(status) };
  if (isCut) return { ...nothing, found: 'a document of more than 1 MB' };
  const json = parseJson(text);
  if (!isObject(json)) return { ...nothing, found: '200 with something that is not a JSON object' };
  return {
    url,
    json,
    found: '200',
    mediaType: header(answer, 'content-type'),
    allowedOrigin: header(answer, 'access-control-allow-origin'),
  };
}
