import { Payload } from '@nestjs/microservices';
import { McpController, Tool } from '@rekog/mcp-nest';
import { RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { OrdersService } from './orders.service.js';

const Order = z.object({ id: z.string() });

/** New: tools on the same service as the REST routes. */
@McpController()
export class OrdersTools {
  constructor(private readonly orders: OrdersService) {}

  @Tool({ name: 'list_orders', description: 'List the orders', parameters: z.object({}) })
  list() {
    const lines = this.orders
      .list()
      .map(({ id, item, cancelled }) => `${id} ${item}${cancelled ? ' (cancelled)' : ''}`);
    return text(lines.join('\n'));
  }

  @Tool({ name: 'cancel_order', description: 'Cancel an order', parameters: Order })
  @RequireScopes('orders:cancel')
  cancel(@Payload() { id }: z.infer<typeof Order>) {
    return text(this.orders.cancel(id) ? 'cancelled' : 'no such order');
  }
}

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}
