/** What is made of an answer. @internal */
export interface AnswerRules {
  /** The most bytes of a JSON body, or of one event, that are kept to be rewritten. */
  readonly maxBytes: number;
  /** Whether answers of a media type are looked at; asked once the application answers. */
  readonly looksAt: (type: string) => boolean;
  /** A JSON body in place of another; the same where it stays as it is, undefined where it must not be sent. */
  readonly rewriteBody: (body: string, status: number) => string | undefined;
  /** As {@link EventRules.rewrite}. */
  readonly rewriteEvent: (event: string) => string;
  /** What is sent in place of an answer that must not be sent; undefined where all may be. */
  readonly refusal: (() => string) | undefined;
  /** As {@link EventRules.tooLong}. */
  readonly eventRefusal: (() => string) | undefined;
}
