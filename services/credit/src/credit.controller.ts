import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { anyLane, batchVerbs, creditSubjects, type CommandBatchReply } from '@tollkeeper/contracts';
import { idPattern } from '@tollkeeper/kernel';
import { MessageContext } from '@tollkeeper/messaging';
import type { Logger } from '@tollkeeper/telemetry';
import { CreditAccounts } from './application/credit-accounts.js';
import type { PriceBookReplica } from './application/price-book-replica.js';
import { affordRequest } from './afford.convert.js';
import { InvalidRequest, type Converter, type Envelope } from './credit-request.js';
import { balanceRequest, converters, invalidReply, toReply, type Verb } from './credit.convert.js';
import { limitsRequest } from './limits.convert.js';
import { creditLogger, priceBookReplica } from './credit.tokens.js';
import { PartitionRouter } from './routing/partition-router.js';

/** NATS messages to commands, outcomes to replies. */
@Controller()
export class CreditController {
  constructor(
    @Inject(CreditAccounts) private readonly accounts: CreditAccounts,
    @Inject(priceBookReplica) private readonly replica: PriceBookReplica,
    @Inject(PartitionRouter) private readonly router: PartitionRouter,
    @Inject(creditLogger) private readonly logger: Logger,
  ) {}

  @MessagePattern('credit.v1.reserve.*')
  reserve(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('reserve', body, message);
  }

  @MessagePattern('credit.v1.settle.*')
  settle(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('settle', body, message);
  }

  @MessagePattern('credit.v1.release.*')
  release(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('release', body, message);
  }

  @MessagePattern('credit.v1.charge.*')
  charge(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('charge', body, message);
  }

  @MessagePattern('credit.v1.correct.*')
  correct(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('correct', body, message);
  }

  @MessagePattern('credit.admin.v1.rerate.*')
  rerate(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('rerate', body, message);
  }

  @MessagePattern('credit.admin.v1.open.*')
  open(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('open', body, message);
  }

  @MessagePattern('credit.admin.v1.grant.*')
  grant(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('grant', body, message);
  }

  @MessagePattern('credit.admin.v1.void.*')
  voidGrant(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('void', body, message);
  }

  @MessagePattern('credit.admin.v1.refund.*')
  refund(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('refund', body, message);
  }

  @MessagePattern('credit.admin.v1.adjust.*')
  adjust(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('adjust', body, message);
  }

  @MessagePattern('credit.admin.v1.tier.*')
  tier(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('tier', body, message);
  }

  @MessagePattern('credit.admin.v1.freeze.*')
  freeze(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('freeze', body, message);
  }

  @MessagePattern('credit.admin.v1.unfreeze.*')
  unfreeze(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('unfreeze', body, message);
  }

  @MessagePattern('credit.admin.v1.recur.*')
  recur(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('recur', body, message);
  }

  @MessagePattern('credit.admin.v1.alerts.*')
  alerts(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('alerts', body, message);
  }

  @MessagePattern('credit.admin.v1.top-up-rule.*')
  topUpRule(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('topUpRule', body, message);
  }

  /** A dry run of reserve. */
  @MessagePattern('credit.v1.afford.*')
  afford(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.carryOut(affordRequest, message.accountId, body, envelopeOf(message));
  }

  @MessagePattern('credit.admin.v1.set-limit.*')
  setLimit(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('setLimit', body, message);
  }

  @MessagePattern('credit.admin.v1.remove-limit.*')
  removeLimit(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.command('removeLimit', body, message);
  }

  @MessagePattern('credit.v1.limits.*')
  async limits(@Ctx() message: MessageContext): Promise<object> {
    return toReply(await this.accounts.submit(message.accountId, limitsRequest()));
  }

  @MessagePattern('credit.v1.balance.*')
  async balance(@Ctx() message: MessageContext): Promise<object> {
    const { prices } = this.replica;
    const look = balanceRequest((at) => prices.policyAt(at));
    const outcome = await this.accounts.submit(message.accountId, look);
    return toReply(outcome);
  }

  /** Answers in as many messages as it takes, so that a slow account does not hold up the others. */
  @MessagePattern(creditSubjects.batch(anyLane))
  batch(@Payload() body: unknown, @Ctx() message: MessageContext): void {
    const commands = commandsOf(body);
    if (!commands) {
      message.reply(invalidReply('commands: not a list'));
      return;
    }
    const owners = this.router.ownersOf(commands, message.deliveredOn);
    const replies = new BatchReplies(commands.length, message, owners);
    for (const [place, command] of commands.entries()) {
      void this.inBatch(command).then((reply) => {
        replies.add(place, reply);
      });
    }
  }

  private async inBatch(command: unknown): Promise<object> {
    if (!Array.isArray(command)) return invalidReply('not [verb, accountId, body]');
    const [verb, accountId, body] = command as unknown[];
    const known = batchVerbs.find((each) => each === verb);
    if (!known || typeof accountId !== 'string') return invalidReply('not a batch command');
    try {
      const elsewhere = this.router.routeCommand(known, accountId, body);
      const reply = elsewhere ? await elsewhere : 'here';
      if (reply !== 'here') return reply;
      return await this.carryOut(converters[known], accountId, body, gatewayEnvelope);
    } catch (error) {
      this.logger.error({ err: error, accountId, verb: known }, 'a command of a batch failed');
      return { ...invalidReply('the service failed'), reason: 'internal', retryable: true };
    }
  }

  private command(verb: Verb, body: unknown, message: MessageContext): Promise<object> {
    return this.carryOut(converters[verb], message.accountId, body, envelopeOf(message));
  }

  private async carryOut(
    toRequest: Converter,
    accountId: string,
    body: unknown,
    envelope: Envelope,
  ): Promise<object> {
    if (!idPattern.test(accountId)) return invalidReply('the account id is not an id');
    if (envelope.commandId !== undefined && !idPattern.test(envelope.commandId)) {
      return invalidReply('the command id is not an id');
    }
    try {
      return toReply(await this.accounts.submit(accountId, toRequest(body, envelope)));
    } catch (error) {
      if (error instanceof InvalidRequest) return invalidReply(error.message);
      throw error;
    }
  }
}

const envelopeOf = (message: MessageContext): Envelope => ({
  commandId: message.header('commandId'),
  correlationId: message.header('correlationId'),
  causationId: message.header('causationId'),
  actor: message.header('actor'),
});

const gatewayEnvelope: Envelope = {
  commandId: undefined,
  correlationId: undefined,
  causationId: undefined,
  actor: 'gateway',
};

const commandsOf = (body: unknown): readonly unknown[] | undefined =>
  typeof body === 'object' && body !== null && 'commands' in body && Array.isArray(body.commands)
    ? body.commands
    : undefined;

/** Replies that one turn of the event loop brings leave in one message. */
class BatchReplies {
  private ready: [number, object][] = [];
  private sent = 0;

  constructor(
    private readonly expected: number,
    private readonly message: MessageContext,
    private owners: CommandBatchReply['owners'],
  ) {
    if (expected === 0) this.send();
  }

  add(place: number, reply: object): void {
    this.ready.push([place, reply]);
    if (this.sent + this.ready.length === this.expected) this.send();
    else if (this.ready.length === 1) {
      setImmediate(() => {
        if (this.ready.length > 0) this.send();
      });
    }
  }

  private send(): void {
    this.sent += this.ready.length;
    const done = this.sent === this.expected;
    const reply: CommandBatchReply = this.owners
      ? { replies: this.ready, done, owners: this.owners }
      : { replies: this.ready, done };
    this.owners = undefined;
    this.ready = [];
    this.message.reply(reply);
  }
}
