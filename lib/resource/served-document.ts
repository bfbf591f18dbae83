import { createHash } from 'node:crypto';

/** A document ready to be sent. @internal */
export interface ServedDocument {
  readonly body: string;
  readonly etag: string;
}

/** A document as JSON, with a tag that follows its content. @internal */
export function toServedDocument(document: object): ServedDocument {
  const body = JSON.stringify(document);
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}
