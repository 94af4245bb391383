import { creditSubjects, headers, type DueItem } from '@tollkeeper/contracts';
import { creditStream, fromStoredCredit } from '@tollkeeper/events';
import { openEventStore, type EventStore } from '@tollkeeper/event-store';
import { connectNats, NoReplyError, request, type NatsConnection } from '@tollkeeper/messaging';
import { startEphemeralNats, startEphemeralPostgres } from '@tollkeeper/servers';
import { CreditProcess } from './credit-process.fixture.js';
import { freeMonthCredits, initialGrantUsd, startMs } from './ledger-run.fixture.js';
import type {
  Crash,
  LedgerUnderTest,
  Memory,
  Reply,
  Survived,
} from './ledger-under-test.fixture.js';
import type { LifeSetting, StepCommand } from './model-steps.fixture.js';
import { ProjectionStandIn } from './projection-stand-in.fixture.js';
import { storePriceBook } from './store-price-book.fixture.js';
import { StreamReader } from './stream-reader.fixture.js';

/** The credit service over NATS, on a real event store: what one random life after the other is lived in. */
export interface RealPlatform {
  /** A new account, in a service that is started anew where the setting wants other variables. */
  readonly begin: (setting: LifeSetting, killsMax: number) => Promise<RealLedger>;
  readonly kills: () => number;
  readonly stop: () => Promise<void>;
}

export const startRealPlatform = async (
  run: string,
  kurrentdbUrl: string | undefined,
): Promise<RealPlatform> => {
  const postgres = await startEphemeralPostgres({ durable: true });
  const nats = await startEphemeralNats();
  const databaseUrl = postgres.url;
  const store = await openEventStore({ databaseUrl, kurrentdbUrl, applicationName: 'model' });
  const provider = `openai-${run}`;
  await storePriceBook(store, provider);
  const operator = await connectNats({ url: nats.url('operator'), name: 'model' });
  const projection = await connectNats({ url: nats.url('projection'), name: 'model' });
  const standIn = new ProjectionStandIn(projection, store);
  const service = new CreditProcess();
  let lives = 0;
  let kills = 0;
  let under = '';
  const with_ = { store, nats: operator, standIn, service, onKill: () => kills++ };
  return {
    begin: async (setting, killsMax) => {
      const { excessPolicy, openOnReserve } = setting;
      const env = {
        DATABASE_URL: databaseUrl,
        KURRENTDB_URL: kurrentdbUrl,
        NATS_URL: nats.url('credit'),
        EXCESS_POLICY: excessPolicy,
        OPEN_ON_RESERVE: String(openOnReserve),
        INITIAL_GRANT_USD: initialGrantUsd,
        FREE_TIER_MONTHLY_CREDITS: freeMonthCredits,
        DUE_EVERY_MS: '10',
      };
      if (under === `${excessPolicy} ${String(openOnReserve)}`) await service.setClock(startMs);
      else {
        await service.kill('SIGTERM');
        await service.start(env, startMs);
        under = `${excessPolicy} ${String(openOnReserve)}`;
      }
      const user = `usr_${run}_${String(lives++)}`;
      const accountId = setting.accountId === 'acc_1' ? `acc_${user}` : `personal_${user}`;
      return new RealLedger(with_, { accountId, user, provider }, killsMax);
    },
    kills: () => kills,
    stop: async () => {
      await service.kill('SIGTERM');
      await projection.close();
      await operator.close();
      await store.close();
      await nats.stop();
      await postgres.stop();
    },
  };
};

interface Names {
  readonly accountId: string;
  /** For `usr_1`. */
  readonly user: string;
  /** For `openai`. */
  readonly provider: string;
}

interface RealDependencies {
  readonly store: EventStore;
  readonly nats: NatsConnection;
  readonly standIn: ProjectionStandIn;
  readonly service: CreditProcess;
  readonly onKill: () => void;
}

/** Says that it could not be carried out yet: it is sent again by the same id. */
const passing: ReadonlySet<unknown> = new Set([
  'index-behind',
  'not-owner',
  'overloaded',
  'store-unavailable',
]);
const tryMs = 5_000;
const triesMax = 200;

class RealLedger implements LedgerUnderTest {
  nowMs = startMs;
  readonly isBatching = false;
  readonly isSelfActing = true;
  readonly reader = new StreamReader();
  private read = 0;
  private kills = 0;
  private readonly recalledBefore: number;

  constructor(
    private readonly with_: RealDependencies,
    private readonly names: Names,
    private readonly killsMax: number,
  ) {
    this.recalledBefore = with_.standIn.recalled;
  }

  get recalled(): number {
    return this.with_.standIn.recalled - this.recalledBefore;
  }

  async setClock(nowMs: number): Promise<void> {
    this.nowMs = nowMs;
    await this.with_.service.setClock(nowMs);
  }

  async send(command: StepCommand): Promise<Reply | undefined> {
    const due = this.dueItemOf(command);
    if (due) {
      await this.with_.standIn.carryOut(due);
      return undefined;
    }
    const { verb, id, body } = command as Exclude<StepCommand, { verb: DueVerb }>;
    return this.ask(verb, { ...this.named(body), commandId: id });
  }

  async sendTogether(commands: readonly StepCommand[]): Promise<(Reply | undefined)[]> {
    const replies: (Reply | undefined)[] = [];
    for (const command of commands) replies.push(await this.send(command));
    return replies;
  }

  async sendAcrossCrash(command: StepCommand, crash: Crash): Promise<Survived> {
    if (this.kills >= this.killsMax || this.dueItemOf(command)) {
      return { reply: await this.send(command), died: 'not' };
    }
    await this.readOn();
    const { verb, id, body } = command as Exclude<StepCommand, { verb: DueVerb }>;
    const subject = creditSubjects[verb](this.names.accountId);
    const asked = request(
      this.with_.nats,
      subject,
      { ...this.named(body), commandId: id },
      {
        timeoutMs: crash === 'after' ? tryMs : 2,
        headers: by,
      },
    ).catch(() => undefined);
    const answered = (await asked) !== undefined;
    await this.killAndStart();
    const before = this.read;
    await this.readOn();
    const wasDone = answered || this.read > before;
    return { reply: await this.send(command), died: wasDone ? 'after' : 'before' };
  }

  /** Nobody can ask for that from outside. */
  forget(): Promise<Memory> {
    return Promise.resolve('kept');
  }

  async restart(): Promise<Memory> {
    if (this.kills >= this.killsMax) return 'kept';
    await this.killAndStart();
    return 'lost';
  }

  balance(): Promise<Reply> {
    return this.ask('balance', {});
  }

  limits(): Promise<Reply> {
    return this.ask('limits', {});
  }

  async readOn(): Promise<void> {
    const stream = creditStream(this.names.accountId);
    for await (const event of this.with_.store.read(stream, { fromRevision: this.read })) {
      this.reader.take(fromStoredCredit(event));
      this.read = event.revision + 1;
    }
  }

  private async killAndStart(): Promise<void> {
    this.kills++;
    this.with_.onKill();
    await this.with_.service.kill();
    await this.with_.service.startAgain();
  }

  /** What the service does when its list of due work says so; `dueAt` is for the list's order alone. */
  private dueItemOf(command: StepCommand): DueItem | undefined {
    const { accountId } = this.names;
    const item = { accountId, dueAt: new Date(this.nowMs).toISOString() };
    switch (command.verb) {
      case 'expireGrant':
        return { ...item, kind: 'grant', id: command.body.grantId };
      case 'postRecurring':
        return { ...item, kind: 'recurring', id: command.body.recurringId };
      case 'release': {
        const { reason, reservationId } = command.body;
        return reason === 'expired'
          ? { ...item, kind: 'reservation', id: reservationId }
          : undefined;
      }
      default:
        return undefined;
    }
  }

  private named(body: object): object {
    const { user, provider } = this.names;
    const text = JSON.stringify(body)
      .replaceAll('"usr_1"', `"${user}"`)
      .replaceAll('"openai"', `"${provider}"`)
      .replaceAll('"openai:', `"${provider}:`);
    return JSON.parse(text) as object;
  }

  private async ask(verb: keyof typeof subjects, body: object): Promise<Reply> {
    const subject = subjects[verb](this.names.accountId);
    let last: unknown;
    for (let tries = 0; tries < triesMax; tries++) {
      try {
        const reply = (await request(this.with_.nats, subject, body, {
          timeoutMs: tryMs,
          headers: by,
        })) as Reply;
        if (!passing.has(reply['reason'])) return reply;
        last = reply;
      } catch (error) {
        if (!(error instanceof NoReplyError)) throw error;
        last = error;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`no answer to ${verb}: ${JSON.stringify(last)}`);
  }
}

const by = { [headers.actor]: 'model' };

const { batch: _batch, direct: _direct, ...subjects } = creditSubjects;

type DueVerb = 'expireGrant' | 'postRecurring';
