import { partitionOf } from '@tollkeeper/contracts';
import { commandHashOf, creditStream, fromStoredCredit } from '@tollkeeper/events';
import {
  createMemoryEventStore,
  createMemoryStorage,
  type EventStore,
  type MemoryStorage,
} from '@tollkeeper/event-store';
import { parseMoney } from '@tollkeeper/kernel';
import type { PriceBook } from '@tollkeeper/pricing';
import { createLogger } from '@tollkeeper/telemetry';
import { textOf, type ModelDueCommand } from '@tollkeeper/testing';
import type { CreditAccounts } from '../application/credit-accounts.js';
import type { Converter, Request } from '../credit-request.js';
import type { Verb } from '../credit.convert.js';
import type { CreditCommand } from '../domain/credit-account/commands.js';
import { priceBook } from '../domain/credit-account/credit-account.fixture.js';
import { defaultRules, type AccountRules } from '../domain/credit-account/rules.js';
import type {
  Crash,
  LedgerUnderTest,
  Memory,
  Reply,
  Survived,
} from './ledger-under-test.fixture.js';
import type { LifeSetting, StepCommand } from './model-steps.fixture.js';
import { SmallMemory } from './small-memory.fixture.js';
import { StreamReader } from './stream-reader.fixture.js';

/** The parts of the service that are tried; a drill hands in broken ones. */
export interface Product {
  readonly CreditAccounts: typeof CreditAccounts;
  readonly converters: Readonly<Record<Verb, Converter>>;
  readonly balanceRequest: (
    policyAt: (at: Date) => ReturnType<ReturnType<typeof priceBook>['policyAt']>,
  ) => Request;
  readonly limitsRequest: () => Request;
}

export const reservationTtlMs = 720_000;
/** So little that random lives use it up. */
export const freeMonthCredits = '8';
/** Five credits. */
export const initialGrantUsd = '0.05';

const rulesOf = ({ excessPolicy, openOnReserve }: LifeSetting): AccountRules => ({
  ...defaultRules,
  excessPolicy,
  openOnReserve,
  initialGrantUsd: parseMoney(initialGrantUsd),
  freeTier: { ...defaultRules.freeTier, monthlyBudgetCredits: parseMoney(freeMonthCredits) },
});

export const startMs = Date.parse('2026-03-01T12:00:00.000Z');
const logger = createLogger('credit-model');
logger.level = 'silent';

const pricesOf = ({ coarseInMs }: LifeSetting): PriceBook => {
  const prices = priceBook();
  if (coarseInMs === undefined) return prices;
  prices.apply({
    type: 'CreditPolicySet',
    data: {
      policyId: 'policy@2',
      usdPerCredit: '0.01',
      decimals: 2,
      rounding: 'ceil',
      effectiveFrom: new Date(startMs + coarseInMs).toISOString(),
    },
  });
  return prices;
};

/** One life after the other of the credit service, on one memory store and under a clock of our own. */
export class LedgerRun implements LedgerUnderTest {
  nowMs: number = startMs;
  readonly isBatching: boolean;
  readonly isSelfActing = false;
  readonly reader = new StreamReader();
  private readonly storage: MemoryStorage = createMemoryStorage();
  private read = 0;
  private life: Life;
  private readonly memory: SmallMemory | undefined;
  private readonly accountId: string;
  private readonly rules: AccountRules;
  private readonly prices: PriceBook;

  constructor(
    private readonly product: Product,
    setting: LifeSetting,
    isForgetful: boolean,
  ) {
    this.accountId = setting.accountId;
    this.rules = rulesOf(setting);
    this.prices = pricesOf(setting);
    // What waits for the index is overtaken by what need not: nobody could tell the order of a batch.
    this.isBatching = !isForgetful;
    this.memory = isForgetful ? new SmallMemory(this.storage, logger) : undefined;
    this.life = this.begin();
  }

  setClock(nowMs: number): Promise<void> {
    this.nowMs = nowMs;
    return Promise.resolve();
  }

  /** Submitted in one turn, so that the mailbox decides them together. */
  async sendTogether(commands: readonly StepCommand[]): Promise<Reply[]> {
    return Promise.all(commands.map((command) => this.send(command)));
  }

  async send(command: StepCommand): Promise<Reply> {
    const outcome = await this.life.accounts.submit(this.accountId, this.requestFor(command));
    return outcome.type === 'accepted'
      ? { status: 'accepted', ...outcome.answer }
      : { status: 'refused', ...outcome.refusal };
  }

  balance(): Promise<Reply> {
    return this.look(this.product.balanceRequest((at) => this.prices.policyAt(at)));
  }

  limits(): Promise<Reply> {
    return this.look(this.product.limitsRequest());
  }

  private async look(look: Request): Promise<Reply> {
    const outcome = await this.life.accounts.submit(this.accountId, look);
    return outcome.type === 'accepted' ? { ...outcome.answer } : { ...outcome.refusal };
  }

  /** The process dies around the command's append, or once it has answered; the caller asks the next life again. */
  async sendAcrossCrash(command: StepCommand, crash: Crash): Promise<Survived> {
    const dying = this.life;
    const died = new Promise<void>((resolve) => dying.dieAround(crash, resolve));
    await Promise.race([died, dying.accounts.submit(this.accountId, this.requestFor(command))]);
    await this.restart();
    return { reply: await this.send(command), died: crash };
  }

  /** The account leaves the memory of a service that goes on. */
  async forget(): Promise<Memory> {
    await new Promise((resolve) => setImmediate(resolve));
    this.life.accounts.forget(new Set([partitionOf(this.accountId)]));
    return 'lost';
  }

  restart(): Promise<Memory> {
    this.life = this.begin();
    return Promise.resolve('lost');
  }

  readOn(): Promise<void> {
    const events = this.storage.streams.get(creditStream(this.accountId)) ?? [];
    for (; this.read < events.length; this.read++) {
      const event = events[this.read];
      if (event) this.reader.take(fromStoredCredit(event));
    }
    return Promise.resolve();
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
      prices: this.prices,
      clock: { now: () => new Date(this.nowMs), isSteady: () => true },
      logger,
      rules: this.rules,
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
    if (command.verb === 'expireGrant' || command.verb === 'postRecurring') return dueOf(command);
    if (command.verb !== 'release' || command.body.reason !== 'expired') {
      return this.product.converters[command.verb](command.body, ids);
    }
    // Nobody may ask for an expiry from outside: the service does, from its list of what is due.
    const body = { ...command.body, reason: 'failed' };
    const request = this.product.converters.release(body, ids);
    if (request.command?.type !== 'Release') throw new Error('not a release');
    const commandHash = commandHashOf(textOf(command));
    return { ...request, command: { ...request.command, commandHash, reason: 'expired' } };
  }
}

/** As the service sends it to itself. */
const dueOf = (command: Extract<StepCommand, ModelDueCommand>): Request => ({
  command: dueCommandOf(command),
  urgent: true,
  deadlineAtMs: undefined,
  correlationId: undefined,
  causationId: undefined,
  actor: 'credit',
  answer: () => ({}),
});

const dueCommandOf = (command: ModelDueCommand): CreditCommand => {
  const ids = { commandId: command.id, commandHash: commandHashOf(textOf(command)) };
  return command.verb === 'expireGrant'
    ? { type: 'ExpireGrant', ...ids, grantId: command.body.grantId }
    : { type: 'PostRecurringGrant', ...ids, recurringId: command.body.recurringId };
};

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
