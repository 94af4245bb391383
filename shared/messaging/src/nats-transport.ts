import { BaseRpcContext, Server, type CustomTransportStrategy } from '@nestjs/microservices';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { forwardHeaders, headers as headerNames, type Refused } from '@tollkeeper/contracts';
import { lastValueFrom } from 'rxjs';

/** What a handler may know of a message besides its JSON body. */
export class MessageContext extends BaseRpcContext<[Msg, string]> {
  private get message(): Msg {
    return this.getArgs()[0];
  }

  /** The one that the caller sent it to, whoever passed it on. */
  get subject(): string {
    return this.getArgs()[1];
  }

  /** The one that it arrived on. */
  get deliveredOn(): string {
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
  /** For a service whose instances own different accounts. */
  readonly instance?: InstanceRouting;
}

/** What arrives at one instance alone, and what it passes on. */
export interface InstanceRouting {
  /** Takes messages that peers pass on, whose own subject stands in a header. */
  readonly forwardedSubject: string;
  /** Subjects of this instance alone, by the pattern whose handler serves them. */
  readonly ownSubjects: Readonly<Record<string, string>>;
  /** Undefined: served here. Else what becomes of it: the reply, nothing, or served here after all. */
  readonly route: (
    message: Msg,
    subject: string,
  ) => Promise<Uint8Array | 'unanswered' | 'here'> | undefined;
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
    const { instance, queue } = this.options;
    for (const pattern of this.getHandlers().keys()) {
      this.subscribe(pattern, pattern, queue);
      const own = instance?.ownSubjects[pattern];
      if (own !== undefined) this.subscribe(own, pattern);
    }
    if (instance) this.subscribe(instance.forwardedSubject);
    // The subscriptions are in force when the server has answered a ping behind them.
    this.options.nats.flush().then(callback, (error: unknown) => {
      this.options.onError(error, 'listen');
    });
  }

  /** Takes no new messages; those that have begun are answered before the connection closes. */
  async close(): Promise<void> {
    await Promise.all(this.subscriptions.map((each) => each.drain()));
  }

  on(): never {
    throw new Error('the NATS connection reports its own status');
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- Nest's signature
  unwrap<T>(): T {
    return this.options.nats as T;
  }

  /** Without a pattern: for messages that a peer passed on. */
  private subscribe(subject: string, pattern?: string, queue?: string): void {
    const subscription = this.options.nats.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        if (error) this.options.onError(error, subject);
        else if (pattern !== undefined) void this.handle(message, message.subject, pattern);
        else {
          const original = message.headers?.get(forwardHeaders.subject) ?? '';
          void this.handle(message, original, original.replace(/[^.]*$/, '*'));
        }
      },
    });
    this.subscriptions.push(subscription);
  }

  private async handle(message: Msg, subject: string, pattern: string): Promise<void> {
    const elsewhere = pattern.endsWith('.*')
      ? this.options.instance?.route(message, subject)
      : undefined;
    if (elsewhere) {
      const reply = await elsewhere;
      if (reply === 'unanswered') return;
      if (reply !== 'here') {
        message.respond(reply);
        return;
      }
    }
    const context = new MessageContext([message, subject]);
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
