import { createHash } from 'node:crypto';

/** A document ready to be sent. @internal */
export interface ServedDocument {
  readonly body: string;
  readonly etag: string;
}

/** Returns a document as JSON, with an ETag computed from its content. @internal */
export function toServedDocument(document: object): ServedDocument {
  const body = JSON.stringify(document);
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}
