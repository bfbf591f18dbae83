import { Controller, Get } from '@nestjs/common';
import { OrdersService } from './orders.service.js';

/** A REST route of the application, as it was before. */
@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Get()
  list() {
    return this.orders.list();
  }
}
