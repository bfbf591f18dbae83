/** A question of a reader: the words to search the site for, and the page that answers it. */
export interface Question {
  readonly question: string;
  readonly words: string;
  /** Below `docs/`, with the anchor of the section. */
  readonly answer: string;
}

const asked = (question: string, words: string, answer: string): Question => ({ question, words, answer });

export const QUESTIONS: readonly Question[] = [
  asked('How do I start from nothing?', 'get started', 'get-started'),
  asked('How do I test with jest?', 'jest', 'guides/testing#jest'),
  asked('How do I test a guarded class?', 'overrideGuard', 'guides/testing#unit-test-of-a-guarded-class'),
  asked(
    'How do I test without an authorization server?',
    'StaticTokenVerifier',
    'guides/testing#without-a-network',
  ),
  asked(
    'Why is my token rejected with audience?',
    'audience rejected',
    'operations/behaviour-on-failure#audience',
  ),
  asked('Why is the issuer wrong although it looks right?', 'issuer slash', 'reference/errors#issuer'),
  asked('Why does every tool call answer 500?', 'logger undefined', 'guides/microservices#mcp-nest'),
  asked('Where does connectMicroservice go?', 'connectMicroservice', 'guides/microservices#mcp-nest'),
  asked(
    'What do I do with my own global guard?',
    'global guard',
    'guides/existing-application#with-your-own-global-guard',
  ),
  asked(
    'Which URL is the resource with a version?',
    'versioning',
    'guides/prefixes-and-versioning#uri-versioning',
  ),
  asked('Does it work on Fastify with the official SDK?', 'Fastify', 'guides/fastify#with-the-official-sdk'),
  asked('How does a tool require a scope?', 'RequireScopes', 'guides/scopes#what-a-decorator-can-say'),
  asked('How does a client get a missing scope?', 'insufficient_scope step-up', 'concepts#step-up'),
  asked(
    'Why does step-up fail after dynamic registration?',
    'dynamic client registration',
    'guides/scopes#step-up-and-dynamic-client-registration',
  ),
  asked(
    'My client never asks for more scopes. What do I set?',
    'scopes once',
    'guides/scopes#clients-that-ask-for-scopes-once',
  ),
  asked('What does Claude Code need?', 'Claude', 'clients#claude-code'),
  asked('Why does ChatGPT not offer sign-in?', 'ChatGPT', 'guides/scopes#chatgpt-and-codex'),
  asked('How do I set up Keycloak?', 'Keycloak', 'providers#keycloak'),
  asked('My tokens are opaque. What now?', 'opaque', 'guides/introspection'),
  asked(
    'How do I accept API keys beside tokens?',
    'API key',
    'guides/custom-verifiers#api-keys-beside-tokens',
  ),
  asked(
    'How do I declare prompts and resources of an SDK server?',
    'prompt resource template',
    'guides/handler-sources#its-declarations',
  ),
  asked(
    'How do clients connect first and sign in later?',
    'sign in later',
    'guides/anonymous-callers#connect-first-sign-in-later',
  ),
  asked('Does the session survive sign-in?', 'session sign-in', 'guides/sessions#sessions-and-sign-in'),
  asked(
    'In which order do guards run?',
    'order of guards',
    'guides/guards-and-throttling#the-order-of-guards',
  ),
  asked('How do I limit each caller?', 'throttler', 'guides/guards-and-throttling#throttler'),
  asked('What does a terminus health check call?', 'terminus', 'operations/health#terminus'),
  asked('How do I keep tokens out of the log of pino?', 'pino', 'operations/metrics-and-logs#pino'),
  asked('How do I count rejections?', 'metrics', 'operations/metrics-and-logs#metrics'),
  asked('My tenants are known at run time only. Is that possible?', 'tenant', 'guides/tenants'),
  asked('How do I call another service as the user?', 'token exchange', 'guides/downstream-tokens'),
  asked('How do I deny a call by role?', 'policy', 'guides/policies'),
  asked('Can a program without a person call my tools?', 'api keys', 'guides/api-keys'),
  asked('How do I make stolen tokens useless?', 'stolen token proof', 'guides/dpop'),
  asked('Why is my proof rejected behind a proxy?', 'proof proxy path', 'guides/dpop#behind-a-proxy'),
];
