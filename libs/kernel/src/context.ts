import { AsyncLocalStorage } from 'node:async_hooks';

/** What follows one request through HTTP, gRPC, AMQP, flows and logs. */
export interface RequestContext {
  readonly requestId: string;
  readonly projectId?: string;
  readonly userId?: string;
}

const storage = new AsyncLocalStorage<RequestContext>();

export const runInContext = <T>(context: RequestContext, body: () => T): T => storage.run(context, body);
export const currentContext = (): RequestContext | undefined => storage.getStore();
