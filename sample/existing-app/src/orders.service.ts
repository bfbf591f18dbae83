import { Injectable } from '@nestjs/common';

/** The application's own service, as it was before: REST routes and tools share it. */
@Injectable()
export class OrdersService {
  private readonly orders = new Map([
    ['1', { id: '1', item: 'tea', cancelled: false }],
    ['2', { id: '2', item: 'coffee', cancelled: false }],
  ]);

  list() {
    return [...this.orders.values()];
  }

  cancel(id: string): boolean {
    const order = this.orders.get(id);
    if (order) order.cancelled = true;
    return order !== undefined;
  }
}
