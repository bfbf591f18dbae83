import { type ClientRequest, type IncomingMessage, request as requestByHttp } from 'node:http';
import { request as requestByHttps } from 'node:https';
import { rootCertificates } from 'node:tls';
import { hasPrivateHost } from '../authorization-server/private-addresses.js';
import { type FailureReason, failureReason } from './http-failure.js';
import { VERSION } from './links.js';

/** Maximum size of a body that is read. Unit: bytes. @internal */
export const MAX_BODY_BYTES = 1_048_576;

/** Settings of all requests. @internal */
export interface HttpSettings {
  /** Time limit of a request with its answer. Unit: milliseconds. */
  readonly timeoutMs: number;
  /** Certificates that are trusted besides those of Node, as PEM. */
  readonly ca?: string | undefined;
  /** Headers of the user. They are sent to this origin only. */
  readonly ownHeaders: Readonly<Record<string, string>>;
  readonly ownOrigin: string;
  /** Texts that answers must not bring back, such as the user's token. */
  readonly secrets: readonly string[];
}

/** @internal */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Stops reading as soon as it is true for the text so far. Event streams may never end. */
  readonly until?: (text: string, answer: IncomingMessage) => boolean;
}

/** @internal */
export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** Names and values as they came, in their order. */
  readonly headers: readonly (readonly [string, string])[];
  readonly text: string;
  /** Whether the body is larger than {@link MAX_BODY_BYTES}; then `text` is its beginning. */
  readonly isCut: boolean;
}

/** @internal */
export interface HttpFailure {
  readonly kind: 'failure';
  readonly reason: FailureReason;
  readonly message: string;
}

const PRIVATE: HttpFailure = {
  kind: 'failure',
  reason: 'connection_failed',
  message: 'a private address that a public server names; it is not fetched',
};

/** Reads nothing of a body. @internal */
export const HEADERS_ONLY = (): boolean => true;

/** Sends requests within limits of time and size. It follows no redirects, keeps no cookies and reuses no connections. @internal */
export class HttpClient {
  constructor(readonly settings: HttpSettings) {}

  /** Never rejects: what goes wrong is a {@link HttpFailure}. */
  send(request: HttpRequest): Promise<HttpAnswer | HttpFailure> {
    if (this.isForbidden(request.url)) return Promise.resolve(PRIVATE);
    return new Promise((resolve) => {
      const sent = this.open(request);
      const timer = setTimeout(() => {
        sent.destroy(
          Object.assign(new Error('no complete answer within the time limit'), { code: 'ETIMEDOUT' }),
        );
      }, this.settings.timeoutMs);
      const settle = (result: HttpAnswer | HttpFailure): void => {
        clearTimeout(timer);
        resolve(result.kind === 'answer' ? withoutSecrets(result, this.settings.secrets) : result);
        sent.destroy();
      };
      const fail = (error: Error): void => {
        settle(failureOf(error));
      };
      sent.on('error', fail);
      sent.on('close', () => {
        fail(new Error('the connection was closed without an answer'));
      });
      sent.on('response', (response) => {
        response.on('error', fail);
        read(response, request.until, settle);
      });
      sent.end(request.body);
    });
  }

  /** Whether a public server names a private address: a document must not choose what is fetched in the user's network. */
  isForbidden(url: string): boolean {
    return hasPrivateHost(url) && !hasPrivateHost(this.settings.ownOrigin);
  }

  /** Starts a request. The caller ends it and handles its errors. */
  open({ method, url, headers = {} }: HttpRequest): ClientRequest {
    const target = new URL(url);
    const { ca, ownHeaders, ownOrigin } = this.settings;
    const options = {
      method,
      agent: false,
      headers: {
        'user-agent': `nestjs-mcp-auth-doctor/${VERSION}`,
        ...(target.origin === ownOrigin && ownHeaders),
        ...headers,
      },
    };
    return target.protocol === 'https:'
      ? requestByHttps(target, { ...options, ...(ca !== undefined && { ca: [...rootCertificates, ca] }) })
      : requestByHttp(target, options);
  }
}

/** A server that repeats the token in its answer must not bring it to the output. */
function withoutSecrets(answer: HttpAnswer, secrets: readonly string[]): HttpAnswer {
  const hidden = (text: string): string =>
    secrets.reduce((result, secret) => result.replaceAll(secret, '[secret]'), text);
  const headers = answer.headers.map(([name, value]) => [name, hidden(value)] as const);
  return { ...answer, headers, text: hidden(answer.text) };
}

function read(
  response: IncomingMessage,
  until: HttpRequest['until'],
  settle: (answer: HttpAnswer) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const finish = (): void => {
    const text = Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString('utf8');
    const headers = pairs(response.rawHeaders);
    settle({ kind: 'answer', status: response.statusCode ?? 0, headers, text, isCut: size > MAX_BODY_BYTES });
  };
  if (until?.('', response) === true) {
    finish();
    return;
  }
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_BODY_BYTES || until?.(Buffer.concat(chunks).toString('utf8'), response) === true) finish();
  });
  response.on('end', finish);
}

/** Returns names and values as pairs. Node has them one after another. @internal */
export function pairs(rawHeaders: readonly string[]): (readonly [string, string])[] {
  return rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ''] as const] : []));
}

/** Returns all values of a header, one for each line. @internal */
export function lines({ headers }: Pick<HttpAnswer, 'headers'>, name: string): readonly string[] {
  return headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
}

/** Returns the value of a header; several lines are joined by commas. Undefined if there is none. @internal */
export function header(answer: Pick<HttpAnswer, 'headers'>, name: string): string | undefined {
  const values = lines(answer, name);
  return values.length > 0 ? values.join(', ') : undefined;
}

/** Returns the words of a header that is a list, in lower case. @internal */
export function words(answer: Pick<HttpAnswer, 'headers'>, name: string): readonly string[] {
  return (header(answer, name) ?? '')
    .split(',')
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '');
}

/** Whether an answer is a stream of events, which may never end. @internal */
export function isEventStream({ headers }: IncomingMessage): boolean {
  return headers['content-type']?.toLowerCase().startsWith('text/event-stream') === true;
}

/** Describes a status or a failure in a few words. @internal */
export function describe(result: HttpAnswer | HttpFailure): string {
  return result.kind === 'answer' ? String(result.status) : result.message;
}

function failureOf(error: Error & { code?: string }): HttpFailure {
  const { errors: [first] = [] } = error as Partial<AggregateError>;
  const cause = first instanceof Error ? first : error;
  // Node 24 adds advice about a flag of its own.
  const [message = ''] = cause.message.split('; if the root CA', 1);
  return { kind: 'failure', reason: failureReason(error.code), message };
}
