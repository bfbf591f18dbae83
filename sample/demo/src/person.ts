/** A page of the authorization server that a {@link Person} could not get past. */
export class PageError extends Error {
  constructor(
    readonly status: number,
    readonly html: string,
  ) {
    super(`The page answered with status ${status}.`);
  }
}

interface Cookie {
  name: string;
  value: string;
  path: string;
}

interface Page {
  url: URL;
  status: number;
  html: string;
}

interface Form {
  action: URL;
  fields: URLSearchParams;
  html: string;
}

type Answer = 'Allow' | 'Deny';

const LOOPBACK_HOSTS = ['127.0.0.1', '[::1]', 'localhost'];
const MAX_STEPS = 20;

/**
 * Plays the person with a browser: keeps cookies, follows redirects by hand, signs in, and answers the
 * consent page. One Person is one browser; sign-in and cookies last as long as the object.
 */
export class Person {
  /** Every page shown so far, oldest first. */
  readonly pages: Page[] = [];
  private cookies: Cookie[] = [];

  constructor(
    private readonly credentials: { username: string; password: string },
    private readonly fetch: typeof globalThis.fetch = globalThis.fetch,
  ) {}

  /** Opens an authorization URL, presses Allow, and returns the redirect to the client without fetching it. */
  authorize(url: URL): Promise<URL> {
    return this.walk(url, 'Allow');
  }

  /** As {@link authorize}, but presses Deny. */
  deny(url: URL): Promise<URL> {
    return this.walk(url, 'Deny');
  }

  private async walk(start: URL, answer: Answer): Promise<URL> {
    let url = start;
    let response = await this.request(url);
    for (let step = 0; step < MAX_STEPS; step += 1) {
      const location = response.headers.get('location');
      if (location !== null) {
        url = new URL(location, url);
        if (isClient(url, start)) return url;
        response = await this.request(url);
        continue;
      }
      const form = await this.read(url, response, answer);
      url = form.action;
      response = await this.request(url, form.fields);
    }
    throw new Error(`More than ${MAX_STEPS} steps, the last at ${url.href}`);
  }

  private async read(url: URL, response: Response, answer: Answer): Promise<Form> {
    const html = await response.text();
    this.pages.push({ url, status: response.status, html });
    if (response.status !== 200) throw new PageError(response.status, html);
    const forms = formsOf(html, url);
    const login = forms.find((form) => form.fields.has('password'));
    if (login) {
      login.fields.set('username', this.credentials.username);
      login.fields.set('password', this.credentials.password);
      return login;
    }
    const chosen = forms.find((form) =>
      new RegExp(`<button[^>]*>\\s*${answer}\\s*</button>`).test(form.html),
    );
    if (!chosen) throw new Error(`No ${answer} button at ${url.href}`);
    return chosen;
  }

  private async request(url: URL, fields?: URLSearchParams): Promise<Response> {
    if (!LOOPBACK_HOSTS.includes(url.hostname)) throw new Error(`Will not leave loopback for ${url.href}`);
    const cookie = this.cookies
      .filter(({ path }) => pathMatches(url.pathname, path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const response = await this.fetch(url, {
      redirect: 'manual',
      headers: { accept: 'text/html', ...(cookie === '' ? {} : { cookie }) },
      ...(fields === undefined ? {} : { method: 'POST', body: fields }),
    });
    for (const line of response.headers.getSetCookie()) this.store(line);
    return response;
  }

  private store(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const attribute = (name: string) =>
      attributes.find((part) => part.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
    const name = pair.slice(0, pair.indexOf('='));
    const path = attribute('path') ?? '/';
    this.cookies = this.cookies.filter((cookie) => cookie.name !== name || cookie.path !== path);
    const expires = attribute('expires');
    if (expires !== undefined && Date.parse(expires) <= Date.now()) return;
    this.cookies.push({ name, value: pair.slice(name.length + 1), path });
  }
}

/** The redirect to the client: its redirect_uri, or any other origin when the request named none. */
function isClient(url: URL, start: URL): boolean {
  const redirectUri = start.searchParams.get('redirect_uri');
  if (redirectUri === null || !URL.canParse(redirectUri)) return url.origin !== start.origin;
  const expected = new URL(redirectUri);
  return url.origin === expected.origin && url.pathname === expected.pathname;
}

function pathMatches(pathname: string, cookiePath: string): boolean {
  return (
    pathname === cookiePath || pathname.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`)
  );
}

function formsOf(html: string, base: URL): Form[] {
  return [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, head = '', body = '']) => {
    const fields = new URLSearchParams();
    for (const [input] of body.matchAll(/<input\b[^>]*>/g)) {
      const name = attributeOf(input, 'name');
      if (name !== undefined) fields.set(name, attributeOf(input, 'value') ?? '');
    }
    return { action: new URL(attributeOf(head, 'action') ?? base.href, base), fields, html: body };
  });
}

function attributeOf(tag: string, name: string): string | undefined {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
}
