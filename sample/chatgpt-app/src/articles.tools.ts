import { Payload } from '@nestjs/microservices';
import { McpController, Tool } from '@rekog/mcp-nest';
import { AllowAnonymous, AuthInfo, principalKey, RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { ArticlesStore } from './articles.store.js';

const Word = z.object({ word: z.string() });
const Title = z.object({ title: z.string() });
const Nothing = z.object({});

//#region tools
@McpController()
export class ArticlesTools {
  constructor(private readonly articles: ArticlesStore) {}

  /** Public: "noauth". */
  @Tool({ name: 'search_articles', description: 'Find articles by a word in the title', parameters: Word })
  search(@Payload() { word }: z.infer<typeof Word>) {
    return lines(this.articles.search(word));
  }

  /** Public, and better for people who sign in: "noauth" and "oauth2". */
  @Tool({ name: 'suggest_articles', description: 'Suggest articles to read', parameters: Nothing })
  @AllowAnonymous()
  suggest(@AuthInfo() auth: AuthInfo | undefined) {
    return lines(this.articles.suggestions(auth && principalKey(auth)));
  }

  /** Protected: "oauth2" with the scope. */
  @Tool({ name: 'list_saved', description: 'List the articles that you saved', parameters: Nothing })
  @RequireScopes('articles:read')
  saved(@AuthInfo() auth: AuthInfo) {
    return lines(this.articles.savedBy(principalKey(auth)));
  }

  @Tool({ name: 'save_article', description: 'Save an article to read it later', parameters: Title })
  @RequireScopes('articles:save')
  save(@Payload() { title }: z.infer<typeof Title>, @AuthInfo() auth: AuthInfo) {
    return lines([this.articles.save(principalKey(auth), title) ? `Saved: ${title}` : 'No such article']);
  }
}
//#endregion tools

function lines(titles: readonly string[]) {
  return { content: [{ type: 'text' as const, text: titles.join('\n') || 'no articles' }] };
}
