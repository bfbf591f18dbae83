import { createHash } from 'node:crypto';

/** System fonts and colours for light and dark; every text has a contrast of 4.5 and more, as WCAG 2 level AA asks for. */
const CSS = `
:root { color-scheme: light dark; --page: #f3f4f6; --card: #fff; --text: #111827; --soft: #4b5563; --edge: #6b7280;
  --line: #e5e7eb; --accent: #1d4ed8; --on-accent: #fff; --alarm: #b91c1c; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0b0f17; --card: #161c27; --text: #e5e7eb; --soft: #a7b0be; --edge: #8b95a5; --line: #2b3443;
    --accent: #93b4ff; --on-accent: #0b0f17; --alarm: #ff9c9c; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 28rem; margin: 8vh auto 1rem; padding: 1.5rem; border: 1px solid var(--line); border-radius: .75rem;
  background: var(--card); overflow-wrap: anywhere; }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
p { margin: .5rem 0; }
ul { margin: 0; padding: 0; list-style: none; }
li { padding: .5rem 0; border-top: 1px solid var(--line); }
strong, code { unicode-bidi: isolate; }
.what { display: block; }
code { font: .875rem ui-monospace, monospace; }
label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
input { width: 100%; min-height: 2.75rem; padding: .5rem .75rem; border: 1px solid var(--edge); border-radius: .5rem;
  background: var(--card); color: inherit; font: inherit; }
button { width: 100%; min-height: 2.75rem; padding: .5rem 1rem; border: 1px solid var(--accent); border-radius: .5rem;
  background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 600; cursor: pointer; }
button.plain { background: transparent; color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; }
.actions form { flex: 1 1 8rem; }
.submit { margin: 1.5rem 0 0; }
.alarm { color: var(--alarm); font-weight: 600; }
.soft { color: var(--soft); font-size: .875rem; }
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
  /** What it allows, in words for the person. */
  description: string | undefined;
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
    html`<p>To continue to <strong>${clientName}</strong>.</p>
      ${failed ? html`<p class="alarm" role="alert">The username or the password is wrong.</p>` : EMPTY}
      <form method="post" action="/interaction/${uid}/login">
        <label for="username">Username</label>
        <input
          id="username"
          name="username"
          autocomplete="username"
          autocapitalize="none"
          required
          autofocus
        />
        <label for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required />
        <p class="submit"><button type="submit">Sign in</button></p>
      </form>`,
  );
}

export function consentPage(uid: string, question: ConsentQuestion): string {
  const { clientName, username, resources, accountScopes, redirectHost } = question;
  const scopes = [...resources.flatMap((resource) => resource.scopes), ...accountScopes];
  const isStepUp = scopes.some(({ isNew }) => !isNew);
  return page(
    isStepUp ? 'Allow more access?' : 'Allow access?',
    html`<p>
        <strong>${clientName}</strong> asks for ${isStepUp ? 'more access' : 'access'} in the name of
        <strong>${username}</strong>.
      </p>
      ${resources.map(
        ({ identifier, scopes: ofResource }) =>
          html`<h2>To <code>${identifier}</code></h2>
            ${scopeList(ofResource, isStepUp)}`,
      )}
      ${
        accountScopes.length > 0
          ? html`<h2>To your account here</h2>
              ${scopeList(accountScopes, isStepUp)}`
          : EMPTY
      }
      <p class="soft">
        The application chose its name itself. Your answer goes to <strong>${redirectHost}</strong>.
      </p>
      <div class="actions">
        <form method="post" action="/interaction/${uid}/confirm"><button type="submit">Allow</button></form>
        <form method="post" action="/interaction/${uid}/abort">
          <button type="submit" class="plain">Deny</button>
        </form>
      </div>`,
  );
}

function scopeList(scopes: RequestedScope[], isStepUp: boolean): Html {
  return html`<ul>
    ${scopes.map(({ name, description, isNew }) => {
      const since = isNew ? html`<strong>new</strong>` : html`allowed before`;
      return html`<li>
        ${description === undefined ? EMPTY : html`<span class="what">${description}</span>`}
        <code>${name}</code> ${isStepUp ? html`<span class="soft">· ${since}</span>` : EMPTY}
      </li>`;
    })}
  </ul>`;
}

export function errorPage(error: string, description = 'The request cannot be completed.'): string {
  return page(
    'Something went wrong',
    html`<p class="alarm">${description}</p>
      <p class="soft">Error code: <code>${error}</code></p>`,
  );
}
