import { McpController, Tool } from '@rekog/mcp-nest';
import { z } from 'zod';
import { explain, OrdersClient } from './orders.client.js';

@McpController()
export class ShopTools {
  constructor(private readonly orders: OrdersClient) {}

  @Tool({ name: 'my_orders', description: 'List your orders', parameters: z.object({}) })
  async myOrders() {
    return { content: [{ type: 'text' as const, text: await this.orders.list().catch(explain) }] };
  }
}
