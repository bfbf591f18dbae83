import { type DynamicModule, Module } from '@nestjs/common';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { DECISION_POINT_URL, DecisionPointPolicy } from './decision-point.policy.js';
import { DocumentsEndpoint } from './documents.endpoint.js';
import { DocumentTools } from './documents.tools.js';
import { ISSUER, RESOURCE } from './environment.js';
import { EditorsWrite } from './roles.policy.js';

@Module({})
export class AppModule {
  static with(decisionPoint: string): DynamicModule {
    return {
      module: AppModule,
      imports: [
        McpAuthModule.forRoot({
          resources: { resource: RESOURCE, authorizationServers: [ISSUER], requiredScopes: ['documents'] },
        }),
      ],
      controllers: [DocumentsEndpoint, DocumentTools],
      providers: [
        EditorsWrite,
        DecisionPointPolicy,
        { provide: DECISION_POINT_URL, useValue: decisionPoint },
      ],
    };
  }
}
