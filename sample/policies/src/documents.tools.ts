import { Payload } from '@nestjs/microservices';
import { McpController, Tool } from '@rekog/mcp-nest';
import { AuthContext, RequirePolicy } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { DecisionPointPolicy } from './decision-point.policy.js';
import { EditorsWrite } from './roles.policy.js';

const Document = z.object({ document: z.string() });

//#region tools
/** The policy at the class decides on each of its tools, beside what is written at the tool. */
@McpController()
@RequirePolicy(EditorsWrite)
export class DocumentTools {
  constructor(private readonly context: AuthContext) {}

  @Tool({ name: 'read', description: 'Read', parameters: Document, annotations: { readOnlyHint: true } })
  async read(@Payload() { document }: z.infer<typeof Document>) {
    // Nothing is rejected here. The tool only says more to some callers.
    const mayPublish = await this.context.can(DecisionPointPolicy);
    return text(`${document}${mayPublish ? ', which you may publish' : ''}`);
  }

  @Tool({ name: 'publish', description: 'Publish', parameters: Document })
  @RequirePolicy(DecisionPointPolicy)
  publish(@Payload() { document }: z.infer<typeof Document>) {
    return text(`${document} is published`);
  }
}
//#endregion tools

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}
