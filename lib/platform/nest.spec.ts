import {
  All,
  Body,
  type CallHandler,
  Controller,
  createParamDecorator,
  Get,
  type INestApplication,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  Next,
  type PipeTransform,
  Req,
  RequestMethod,
  Res,
  Sse,
  UseGuards,
  UseInterceptors,
  Version,
} from '@nestjs/common';
import { ApplicationConfig, ModulesContainer, NestFactory, RouterModule } from '@nestjs/core';
import { MessagePattern, Server } from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { EMPTY } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../../test/fixtures/http.js';
import {
  argumentKinds,
  dropModulePath,
  guardsOn,
  hideParameterType,
  httpMethodOf,
  interceptInnermost,
  isRoute,
  isSse,
  mayWriteResponse,
  modulePathOf,
  pathsOf,
  setPaths,
  versionOf,
} from './nest-metadata.js';
import { connectedStrategies, patternExtras, patternTransport } from './nest-microservices.js';
import { excludeFromPrefix, prefixOf } from './nest-prefix.js';

class Guard {
  canActivate(): boolean {
    return true;
  }
}

const called: string[] = [];

const interceptor = (name: string) => ({
  intercept: (_: unknown, next: CallHandler) => {
    called.push(name);
    return next.handle();
  },
});

const Given = createParamDecorator(() => ({ text: 'given' }));

const TRANSPORT = Symbol('transport');

/** The type of a parameter. */
class Text {
  readonly text = '';
}

@Controller({ path: ['one', 'two'], version: '1' })
@UseGuards(Guard)
class Routes {
  @Get('read')
  read(@Body() body: unknown): unknown {
    return body;
  }

  @All(['a', 'b'])
  @Version('2')
  @UseGuards(Guard, Guard)
  @UseInterceptors(interceptor('outer'))
  all(@Given() text: Text): unknown {
    return text;
  }

  @Get('write')
  write(@Req() request: unknown, @Res() response: unknown, @Next() next: unknown): unknown {
    return [request, response, next];
  }

  @Get('next')
  next(@Next() next: unknown): unknown {
    return next;
  }

  @Sse('stream')
  stream(): unknown {
    return EMPTY;
  }

  @MessagePattern({ cmd: 'sum' }, TRANSPORT, { kind: 'of sum' })
  sum(): number {
    return 0;
  }

  helper(): void {
    return undefined;
  }
}

/** The methods, as objects that bear metadata. */
const { read, all, write, next, stream, sum, helper } = Routes.prototype as unknown as Readonly<
  Record<keyof Routes, object>
>;

describe('metadata that decorators of Nest write', () => {
  it('tells routes, their methods, paths and versions', () => {
    const methods = [read, all, write, next, stream, sum, helper];
    expect(methods.filter(isRoute)).toEqual([read, all, write, next, stream]);
    expect([read, all].map(httpMethodOf)).toEqual([RequestMethod.GET, RequestMethod.ALL]);
    expect([Routes, read, all].map(pathsOf)).toEqual([['one', 'two'], ['read'], ['a', 'b']]);
    expect([read, all].map((route) => versionOf(Routes, route))).toEqual(['1', '2']);
  });

  it('tells event streams', () => {
    expect([read, stream].map(isSse)).toEqual([false, true]);
  });

  it('tells the kinds of parameters', () => {
    expect([...argumentKinds(Routes, 'write')].sort()).toEqual(['0', '1', '2']);
    expect(argumentKinds(Routes, 'read')).toEqual(['3']);
    expect(argumentKinds(Routes, 'helper')).toEqual([]);
    expect(mayWriteResponse(Routes, write, 'write')).toBe(true);
    expect(mayWriteResponse(Routes, next, 'next')).toBe(true);
    expect(mayWriteResponse(Routes, read, 'read')).toBe(false);
  });

  it('tells the guards of classes and methods', () => {
    expect([Routes, all, read].map(guardsOn)).toEqual([[Guard], [Guard, Guard], []]);
  });

  it('tells the transport and the extras of message patterns', () => {
    expect(patternTransport(sum)).toBe(TRANSPORT);
    expect(patternExtras(sum)).toEqual({ kind: 'of sum' });
    expect([patternTransport(read), patternExtras(read)]).toEqual([undefined, {}]);
  });
});

/** A builder of middleware, as Nest hands it to modules. */
interface Builder {
  build(): readonly object[];
  getHttpAdapter(): unknown;
}

describe('an application of Nest', () => {
  const inner = interceptor('inner');
  const types: unknown[] = [];
  let builder: Builder | undefined;
  let modulePath = '';
  const middleware = (_: unknown, __: unknown, next: () => void): void => {
    next();
  };
  const adapter = new ExpressAdapter();
  let app: INestApplication;
  let origin: string;

  let prefixes: readonly string[] = [];

  @Module({ controllers: [Routes] })
  class Mounted implements NestModule {
    constructor(
      private readonly modules: ModulesContainer,
      private readonly config: ApplicationConfig,
    ) {}

    configure(consumer: MiddlewareConsumer): void {
      modulePath = modulePathOf(Mounted, this.modules.applicationId);
      dropModulePath(Mounted);
      setPaths(Routes, ['moved']);
      excludeFromPrefix(this.config, '/moved/a', '$');
      prefixes = ['/moved/a', '/moved/read', '/moved/b'].map((path) =>
        prefixOf(path, RequestMethod.GET, this.config),
      );
      hideParameterType(Routes.prototype, 'all', 0);
      interceptInnermost(all, inner);
      consumer.apply(middleware).forRoutes('text', { path: 'info', method: RequestMethod.GET });
      builder = consumer as unknown as Builder;
    }
  }
  @Module({ imports: [Mounted, RouterModule.register([{ path: 'above', module: Mounted }])] })
  class Application {}

  beforeAll(async () => {
    app = await NestFactory.create(Application, adapter, { logger: false });
    const pipe: PipeTransform = {
      transform: (value: unknown, { metatype }) => {
        types.push(metatype);
        return value;
      },
    };
    app.useGlobalPipes(pipe);
    app.setGlobalPrefix('prefix', { exclude: ['moved/read'] });
    await app.listen(0, '127.0.0.1');
    origin = await app.getUrl();
  });

  afterAll(() => app.close());

  it('puts routes where their metadata is moved to, out of the path of their module', async () => {
    expect(modulePath).toBe('/above');
    const statuses = ['/moved/a', '/above/moved/a', '/one/a', '/above/one/a'].map(
      async (path) => (await send(origin, path)).status,
    );
    expect(await Promise.all(statuses)).toEqual([200, 404, 404, 404]);
  });

  it('keeps the routes that are excluded from the global prefix', async () => {
    expect(prefixes).toEqual(['', '', 'prefix']);
    const statuses = ['/moved/a', '/moved/read', '/moved/b', '/prefix/moved/b'].map(
      async (path) => (await send(origin, path)).status,
    );
    expect(await Promise.all(statuses)).toEqual([200, 200, 404, 200]);
  });

  it('runs an interceptor that is added to the metadata of a handler, inside of its others', async () => {
    called.length = 0;
    await send(origin, '/moved/a');
    expect(called).toEqual(['outer', 'inner']);
  });

  it('tells pipes the type of a parameter that its metadata has', async () => {
    types.length = 0;
    expect((await send(origin, '/moved/a')).json).toEqual({ text: 'given' });
    expect(types).toEqual([Object]);
  });

  it('keeps what modules configure in the builder of middleware', () => {
    const prototype = Object.getPrototypeOf(builder) as object;
    expect(Object.hasOwn(prototype, 'build')).toBe(true);
    expect(builder?.getHttpAdapter()).toBe(adapter);
    expect(builder?.build()).toEqual([
      {
        middleware: [expect.any(Function) as unknown],
        forRoutes: [
          expect.objectContaining({ path: '/text', method: -1 }),
          expect.objectContaining({ path: '/info', method: RequestMethod.GET }),
        ],
      },
    ]);
  });

  it('tells of strategies that are connected as microservices, before and after', async () => {
    class Strategy extends Server {
      listen(callback: () => void): void {
        callback();
      }
      close = (): void => undefined;
      on = (): void => undefined;
      unwrap = (): never => {
        throw new Error('not called');
      };
    }
    const [first, second] = [new Strategy(), new Strategy()];
    const told: object[] = [];
    app.connectMicroservice({ strategy: first });
    connectedStrategies(app.get(ModulesContainer))?.subscribe((strategy) => told.push(strategy));
    app.connectMicroservice({ strategy: second });
    expect(told).toEqual([first, second]);
  });
});
