import { BaseRpcContext, Server, type CustomTransportStrategy } from '@nestjs/microservices';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { headers as headerNames, type Refused } from '@tollkeeper/contracts';
import { lastValueFrom } from 'rxjs';

/** What a handler may know of a message besides its JSON body. */
export class MessageContext extends BaseRpcContext<[Msg]> {
  private get message(): Msg {
    return this.getArgs()[0];
  }

  get subject(): string {
    return this.message.subject;
  }

  /** The subject's last token, which is the account's id on account subjects. */
  get accountId(): string {
    return this.subject.slice(this.subject.lastIndexOf('.') + 1);
  }

  header(name: keyof typeof headerNames): string | undefined {
    const value = this.message.headers?.get(headerNames[name]);
    return value === '' ? undefined : value;
  }

  /** Answers now; for handlers that answer more than once and return nothing. */
  reply(body: unknown): void {
    this.message.respond(JSON.stringify(body));
  }
}

const refusal = (reason: string, message: string, retryable: boolean): Refused => ({
  status: 'refused',
  reason,
  message,
  retryable,
});

export interface NatsTransportOptions {
  readonly nats: NatsConnection;
  /** Instances of one service share it, so that each message reaches one of them. */
  readonly queue: string;
  readonly onError: (error: unknown, subject: string) => void;
}

/**
 * Nest's shell over NATS: a message is the contract's plain JSON, without Nest's envelope, so that
 * any NATS client in any language is a first-class caller. The client of requests is `request`.
 */
export class NatsTransport extends Server implements CustomTransportStrategy {
  private readonly subscriptions: Subscription[] = [];

  constructor(private readonly options: NatsTransportOptions) {
    super();
  }

  listen(callback: () => void): void {
    for (const pattern of this.getHandlers().keys()) {
      this.subscriptions.push(
        this.options.nats.subscribe(pattern, {
          queue: this.options.queue,
          callback: (error, message) => {
            if (error) this.options.onError(error, pattern);
            else void this.handle(message, pattern);
          },
        }),
      );
    }
    // The subscriptions are in force when the server has answered a ping behind them.
    this.options.nats.flush().then(callback, (error: unknown) => {
      this.options.onError(error, 'listen');
    });
  }

  /** Takes no new messages; those that have begun are answered before the connection closes. */
  close(): void {
    for (const subscription of this.subscriptions) void subscription.drain();
  }

  on(): never {
    throw new Error('the NATS connection reports its own status');
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- Nest's signature
  unwrap<T>(): T {
    return this.options.nats as T;
  }

  private async handle(message: Msg, pattern: string): Promise<void> {
    const context = new MessageContext([message]);
    let body: unknown;
    try {
      body = message.data.length === 0 ? {} : message.json<unknown>();
    } catch {
      context.reply(refusal('invalid-request', 'the body is not JSON', false));
      return;
    }
    try {
      const handler = this.getHandlerByPattern(pattern);
      if (!handler) throw new Error(`no handler for ${pattern}`);
      const result = this.transformToObservable(await handler(body, context));
      const reply: unknown = await lastValueFrom(result, { defaultValue: undefined });
      if (reply !== undefined) context.reply(reply);
    } catch (error) {
      this.options.onError(error, message.subject);
      context.reply(refusal('internal', 'the service failed; retry with the same id', true));
    }
  }
}
