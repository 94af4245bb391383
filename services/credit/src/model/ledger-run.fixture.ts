import { partitionOf } from '@tollkeeper/contracts';
import { creditStream, fromStoredCredit } from '@tollkeeper/events';
import {
  createMemoryEventStore,
  createMemoryStorage,
  type EventStore,
  type MemoryStorage,
} from '@tollkeeper/event-store';
import { parseMoney } from '@tollkeeper/kernel';
import { createLogger } from '@tollkeeper/telemetry';
import { StreamPromises } from '@tollkeeper/testing';
import type { CreditAccounts } from '../application/credit-accounts.js';
import type { Converter, Request } from '../credit-request.js';
import type { Verb } from '../credit.convert.js';
import { priceBook } from '../domain/credit-account/credit-account.fixture.js';
import { defaultRules, type AccountRules } from '../domain/credit-account/rules.js';
import type { StepCommand } from './model-steps.fixture.js';
import { SmallMemory } from './small-memory.fixture.js';

/** The parts of the service that are tried; a drill hands in broken ones. */
export interface Product {
  readonly CreditAccounts: typeof CreditAccounts;
  readonly converters: Readonly<Record<Verb, Converter>>;
  readonly balanceRequest: (
    policyAt: (at: Date) => ReturnType<ReturnType<typeof priceBook>['policyAt']>,
  ) => Request;
}

/** When the process dies around the next append. */
export type Crash = 'before' | 'after';

export const accountId = 'acc_1';
export const reservationTtlMs = 720_000;
/** So little that random lives use it up. */
export const freeMonthCredits = '8';

const rules: AccountRules = {
  ...defaultRules,
  freeTier: { ...defaultRules.freeTier, monthlyBudgetCredits: parseMoney(freeMonthCredits) },
};

const prices = priceBook();
const logger = createLogger('credit-model');
logger.level = 'silent';

/** What a reply says, as on the wire. */
export type Reply = Readonly<Record<string, unknown>>;

/** One life after the other of the credit service, on one memory store and under a clock of our own. */
export class LedgerRun {
  nowMs = Date.parse('2026-03-01T12:00:00.000Z');
  readonly promises = new StreamPromises();
  /** Types of the events so far. */
  readonly stored = new Set<string>();
  private readonly storage: MemoryStorage = createMemoryStorage();
  private proven = 0;
  private life: Life;

  private readonly memory: SmallMemory | undefined;

  constructor(
    private readonly product: Product,
    isForgetful: boolean,
  ) {
    this.memory = isForgetful ? new SmallMemory(this.storage, logger) : undefined;
    this.life = this.begin();
  }

  /** Submitted in one turn, so that the mailbox decides them together. */
  async sendTogether(commands: readonly StepCommand[]): Promise<Reply[]> {
    return Promise.all(commands.map((command) => this.send(command)));
  }

  async send(command: StepCommand): Promise<Reply> {
    const outcome = await this.life.accounts.submit(accountId, this.requestFor(command));
    return outcome.type === 'accepted'
      ? { status: 'accepted', ...outcome.answer }
      : { status: 'refused', ...outcome.refusal };
  }

  async balance(): Promise<Reply> {
    const look = this.product.balanceRequest((at) => prices.policyAt(at));
    const outcome = await this.life.accounts.submit(accountId, look);
    return outcome.type === 'accepted' ? { ...outcome.answer } : { ...outcome.refusal };
  }

  /** The process dies around the command's append, or once it has answered; the caller asks the next life again. */
  async sendAcrossCrash(command: StepCommand, crash: Crash): Promise<Reply> {
    const dying = this.life;
    const died = new Promise<void>((resolve) => dying.dieAround(crash, resolve));
    await Promise.race([died, dying.accounts.submit(accountId, this.requestFor(command))]);
    this.restart();
    return this.send(command);
  }

  /** The account leaves the memory of a service that goes on. */
  async forget(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.life.accounts.forget(new Set([partitionOf(accountId)]));
  }

  restart(): void {
    this.life = this.begin();
  }

  /** Holds the events that came since to the promises. @throws BrokenPromiseError */
  prove(): void {
    const events = this.storage.streams.get(creditStream(accountId)) ?? [];
    for (; this.proven < events.length; this.proven++) {
      const event = events[this.proven];
      if (!event) continue;
      const { metadata, ...fact } = fromStoredCredit(event);
      this.stored.add(fact.type);
      this.promises.apply(fact, metadata.occurredAt);
    }
  }

  get recalled(): number {
    return this.memory?.recalled ?? 0;
  }

  get eventsStored(): number {
    return this.storage.events.length;
  }

  private begin(): Life {
    const life = new Life(createMemoryEventStore(this.storage));
    life.accounts = new this.product.CreditAccounts({
      store: life.store,
      prices,
      clock: { now: () => new Date(this.nowMs), isSteady: () => true },
      logger,
      rules,
      reservationTtlMs,
      ...(this.memory ? { remembering: this.memory } : {}),
    });
    return life;
  }

  private requestFor(command: StepCommand): Request {
    const ids = {
      commandId: command.id,
      correlationId: undefined,
      causationId: undefined,
      actor: 'model',
    };
    if (command.verb === 'expireGrant') return expiryOf(command);
    if (command.verb !== 'release' || command.body.reason !== 'expired') {
      return this.product.converters[command.verb](command.body, ids);
    }
    // Nobody may ask for an expiry from outside: the service does, from its list of what is due.
    const body = { ...command.body, reason: 'failed' };
    const request = this.product.converters.release(body, ids);
    if (request.command?.type !== 'Release') throw new Error('not a release');
    return { ...request, command: { ...request.command, reason: 'expired' } };
  }
}

/** As the service sends it to itself. */
const expiryOf = ({ id, body }: Extract<StepCommand, { verb: 'expireGrant' }>): Request => ({
  command: { type: 'ExpireGrant', commandId: id, commandHash: id, grantId: body.grantId },
  urgent: true,
  deadlineAtMs: undefined,
  correlationId: undefined,
  causationId: undefined,
  actor: 'credit',
  answer: () => ({}),
});

/** From a start to a kill: what a dead one still has in hand goes nowhere. */
class Life {
  accounts!: CreditAccounts;
  readonly store: EventStore;
  private dying: { readonly crash: Crash; readonly died: () => void } | undefined;
  private dead = false;

  constructor(store: EventStore) {
    this.store = {
      ...store,
      append: async (stream, expected, events) => {
        if (this.dead || this.dying?.crash === 'before') return this.die();
        const result = await store.append(stream, expected, events);
        return this.dying ? this.die() : result;
      },
    };
  }

  dieAround(crash: Crash, died: () => void): void {
    this.dying = { crash, died };
  }

  private die(): Promise<never> {
    this.dead = true;
    this.dying?.died();
    return new Promise<never>(() => undefined);
  }
}
