import { ClientProvider } from '../../client/src/client-provider.js';
import type { Person } from './person.js';

/** Where the browser would come back to; nothing listens there, the person hands the URL over. */
const REDIRECT_URI = 'http://127.0.0.1:9/callback';

/** A client whose browser is a {@link Person}. */
export class DemoProvider extends ClientProvider {
  constructor(person: Pick<Person, 'authorize'>) {
    super('nestjs-mcp-auth demo', REDIRECT_URI, async (url) => (await person.authorize(url)).searchParams);
  }
}
