import { createHash } from 'node:crypto';

const CSS = `
body { font: 16px/1.5 system-ui, sans-serif; background: #f3f4f6; color: #111827; margin: 0; }
main { max-width: 26rem; margin: 3rem auto; padding: 1.5rem 2rem; background: #fff; border-radius: .5rem;
  box-shadow: 0 1px 4px rgb(0 0 0 / .2); overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; margin-top: 0; }
label { display: block; margin: .75rem 0 .25rem; }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .4rem; border: 1px solid #6b7280;
  border-radius: .25rem; }
button { font: inherit; margin-top: 1rem; padding: .5rem 1.25rem; border: 1px solid #1d4ed8; border-radius: .25rem;
  background: #1d4ed8; color: #fff; cursor: pointer; }
button.plain { background: #fff; color: #1d4ed8; }
.actions { display: flex; gap: .75rem; }
.error { color: #b91c1c; font-weight: 600; }
.note { color: #4b5563; font-size: .875rem; }
`;

const CSS_HASH = createHash('sha256').update(CSS).digest('base64');

/**
 * Headers of every page. There is no form-action on purpose: Chromium applies it to each redirect after the
 * submitted form too, and the last redirect of the chain goes to the client, which can be anywhere.
 */
export const PAGE_HEADERS: Record<string, string> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${CSS_HASH}'; base-uri 'none'; frame-ancestors 'none'`,
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

export interface RequestedScope {
  name: string;
  /** Not allowed to this client before. */
  isNew: boolean;
}

export interface ConsentQuestion {
  clientName: string;
  redirectHost: string;
  username: string;
  resources: { identifier: string; scopes: RequestedScope[] }[];
  /** Scopes of the authorization server itself, such as openid. */
  accountScopes: RequestedScope[];
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** Template tag: each value is escaped unless it is Html itself. Lists are joined. */
function html(strings: TemplateStringsArray, ...values: (string | Html | Html[])[]): Html {
  const rendered = values.map((value) => {
    if (typeof value === 'string') return escapeHtml(value);
    return Array.isArray(value) ? value.map(({ text }) => text).join('') : value.text;
  });
  return new Html(String.raw({ raw: strings }, ...rendered));
}

class Html {
  constructor(readonly text: string) {}
}

const EMPTY = html``;

// Outside of a template, because the hash in the policy is over every byte between the tags.
const STYLE = new Html(`<style>${CSS}</style>`);

function page(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${STYLE}
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`.text;
}

export function loginPage(uid: string, clientName: string, failed = false): string {
  return page(
    'Sign in',
    html`<p>to continue to <strong>${clientName}</strong></p>
      ${failed ? html`<p class="error" role="alert">Username or password is wrong.</p>` : EMPTY}
      <form method="post" action="/interaction/${uid}/login">
        <label for="username">Username</label>
        <input id="username" name="username" autocomplete="username" required autofocus />
        <label for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required />
        <button type="submit">Sign in</button>
      </form>`,
  );
}

export function consentPage(uid: string, question: ConsentQuestion): string {
  return page(
    'Allow access?',
    html`<p>
        <strong>${question.clientName}</strong> asks for access as <strong>${question.username}</strong>.
      </p>
      ${question.resources.map(
        ({ identifier, scopes }) =>
          html`<p>On <code>${identifier}</code>:</p>
            ${scopeList(scopes)}`,
      )}
      ${
        question.accountScopes.length > 0
          ? html`<p>On your account:</p>
              ${scopeList(question.accountScopes)}`
          : EMPTY
      }
      <p class="note">
        The application chose its name itself. After your answer you go to
        <strong>${question.redirectHost}</strong>.
      </p>
      <div class="actions">
        <form method="post" action="/interaction/${uid}/confirm"><button type="submit">Allow</button></form>
        <form method="post" action="/interaction/${uid}/abort">
          <button type="submit" class="plain">Deny</button>
        </form>
      </div>`,
  );
}

function scopeList(scopes: RequestedScope[]): Html {
  return html`<ul>
    ${scopes.map(({ name, isNew }) => html`<li><code>${name}</code> ${isNew ? '(new)' : '(allowed before)'}</li>`)}
  </ul>`;
}

export function errorPage(error: string, description = 'The request cannot be completed.'): string {
  return page(
    'Something went wrong',
    html`<p class="error">${description}</p>
      <p class="note">Error code: <code>${error}</code></p>`,
  );
}
