import { Body, Controller, Get, Injectable, Module, Post, type CanActivate, type ExecutionContext, UseGuards } from '@nestjs/common';
import { InjectDataSource, InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import { Column, DataSource, Entity, PrimaryGeneratedColumn, Repository } from 'typeorm';

/** The shop's own table, in the shop's own database. */
@Entity('orders')
export class Order {
  @PrimaryGeneratedColumn() id!: number;
  @Column('text') item!: string;
}

/** The shop's own idea of who may come in; Trestle's has no say here. */
@Injectable()
class ShopGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-shop'] === 'open';
  }
}

@Controller('v1/orders')
@UseGuards(ShopGuard)
export class OrdersController {
  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    private readonly dataSource: DataSource,
    @InjectDataSource() private readonly own: DataSource,
  ) {}

  @Get()
  async list(): Promise<{ orders: Order[]; tables: string[]; same: boolean }> {
    const tables: { name: string }[] = await this.dataSource.query(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
    );
    return { orders: await this.orders.find(), tables: tables.map(({ name }) => name), same: this.dataSource === this.own };
  }

  @Post()
  make(@Body() { item }: { item: string }): Promise<Order> {
    return this.orders.save({ item });
  }

  @Get('broken')
  broken(): never {
    throw new Error('the shop broke');
  }
}

@Module({ imports: [TypeOrmModule.forFeature([Order])], controllers: [OrdersController] })
export class ShopModule {}
