import { Inject, Injectable } from '@nestjs/common';
import type { Grant, Interaction, Provider } from 'oidc-provider';
import {
  AUTHORIZATION_SERVER_OPTIONS,
  type AuthorizationServerOptions,
  OIDC_PROVIDER,
} from './authorization-server-options.js';
import type { ConsentQuestion, RequestedScope } from './pages.js';
import { currentResources, OIDC_SCOPES, scopesOf, toList } from './resources.js';
import { SCOPE_DESCRIPTIONS } from './scope-descriptions.js';

/** What one authorization request asks for: only scopes that exist. */
interface Requested {
  resources: { identifier: string; scopes: string[] }[];
  accountScopes: string[];
}

@Injectable()
export class ConsentService {
  constructor(
    @Inject(OIDC_PROVIDER) private readonly provider: Provider,
    @Inject(AUTHORIZATION_SERVER_OPTIONS) private readonly options: AuthorizationServerOptions,
  ) {}

  async clientName(interaction: Interaction): Promise<string> {
    const clientId = text(interaction.params['client_id']);
    const client = await this.provider.Client.find(clientId);
    return client?.clientName ?? clientId;
  }

  /** The full question: a step-up request shows the scopes allowed before beside the new ones. */
  async question(interaction: Interaction): Promise<ConsentQuestion> {
    const grant = await this.existingGrant(interaction);
    const requested = this.requested(interaction);
    const known = new Set(grant?.getOIDCScope().split(' '));
    return {
      clientName: await this.clientName(interaction),
      redirectHost: new URL(text(interaction.params['redirect_uri'])).host,
      username: interaction.session?.accountId ?? '',
      resources: requested.resources.map(({ identifier, scopes }) => {
        const allowed = new Set(grant?.getResourceScope(identifier).split(' '));
        return { identifier, scopes: this.described(scopes, allowed) };
      }),
      accountScopes: this.described(requested.accountScopes, known),
    };
  }

  /**
   * Records what the page asked. The scopes come from the stored authorization request, never from the
   * submitted form. The grant grows with each step-up; a token still carries only the scopes of its own request.
   */
  async allow(interaction: Interaction): Promise<string> {
    const grant = (await this.existingGrant(interaction)) ?? this.newGrant(interaction);
    const requested = this.requested(interaction);
    if (requested.accountScopes.length > 0) grant.addOIDCScope(requested.accountScopes);
    for (const { identifier, scopes } of requested.resources) grant.addResourceScope(identifier, scopes);
    return grant.save();
  }

  private described(scopes: readonly string[], allowed: ReadonlySet<string>): RequestedScope[] {
    const descriptions = { ...SCOPE_DESCRIPTIONS, ...this.options.scopeDescriptions };
    return scopes.map((name) => ({
      name,
      description: Object.hasOwn(descriptions, name) ? descriptions[name] : undefined,
      isNew: !allowed.has(name),
    }));
  }

  private requested({ params }: Interaction): Requested {
    const scopes = text(params['scope']).split(' ');
    const resources = currentResources(this.options);
    return {
      resources: toList(params['resource'])
        .map((identifier) => {
          const known = scopesOf(resources, identifier) ?? [];
          return { identifier, scopes: scopes.filter((scope) => known.includes(scope)) };
        })
        .filter((resource) => resource.scopes.length > 0),
      accountScopes: scopes.filter((scope) => OIDC_SCOPES.includes(scope)),
    };
  }

  private async existingGrant({ grantId }: Interaction): Promise<Grant | undefined> {
    // A revoked grant is gone from the store although the session still names it.
    return grantId === undefined ? undefined : this.provider.Grant.find(grantId);
  }

  private newGrant({ session, params }: Interaction): Grant {
    return new this.provider.Grant({ accountId: session?.accountId, clientId: text(params['client_id']) });
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
