import { Controller, Get, Injectable } from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import { McpHandlerSource, RequireAuthentication, RequireScopes } from 'nestjs-mcp-auth';

//#region tools
/** Whoever pays has signed in within the last hour. */
@McpController()
@RequireAuthentication({ maxAgeSeconds: 3600 })
export class PaymentTools {
  @Tool({ name: 'pay_invoice', description: 'Pay an invoice' })
  @RequireScopes('payments:write')
  @RequireAuthentication({ acr: ['urn:example:passkey', 'urn:example:two-factors'], maxAgeSeconds: 300 })
  pay() {
    return { content: [{ type: 'text' as const, text: 'Paid' }] };
  }

  @Tool({ name: 'list_invoices', description: 'List invoices' })
  list() {
    return { content: [{ type: 'text' as const, text: 'None' }] };
  }
}
//#endregion tools

//#region route
@Controller('notes/statements')
export class StatementsController {
  @Get()
  @RequireAuthentication({ acr: 'urn:example:passkey' })
  download(): string {
    return 'All statements';
  }
}
//#endregion route

//#region source
@Injectable()
export class PaymentHandlers extends McpHandlerSource {
  declarations() {
    return [
      {
        kind: 'tool',
        name: 'pay_invoice',
        requirements: ['payments:write'],
        authentication: { acr: ['urn:example:passkey', 'urn:example:two-factors'], maxAgeSeconds: 300 },
      },
    ] as const;
  }
}
//#endregion source
