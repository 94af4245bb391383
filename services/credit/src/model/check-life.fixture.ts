import { canonicalJson, type Json } from '@tollkeeper/kernel';
import { CreditModel, decimalOf, type ModelReply, unitsOf } from '@tollkeeper/testing';
import {
  freeMonthCredits,
  LedgerRun,
  reservationTtlMs,
  startMs,
  type Product,
} from './ledger-run.fixture.js';
import type { Crash, LedgerUnderTest, Reply } from './ledger-under-test.fixture.js';
import {
  toCommand,
  withOtherBody,
  type Draft,
  type LifeSetting,
  type RandomLife,
  type Step,
  type StepCommand,
  type StepVerb,
} from './model-steps.fixture.js';

/** Service and model went apart. */
export class DifferenceFromModelError extends Error {
  override readonly name = 'DifferenceFromModelError';
}

/** Served before the others that wait. */
const isUrgent = (verb: StepVerb): boolean => verb !== 'reserve' && verb !== 'charge';

/** Of an answer that tells the moment besides the act: not part of the first answer. */
const momentary: ReadonlySet<string> = new Set(['available', 'balance', 'debt']);

export interface LifeReport {
  readonly commands: number;
  readonly events: number;
  /** Their types. */
  readonly stored: ReadonlySet<string>;
  /** Questions to the index about reservations that memory did not hold. */
  readonly recalled: number;
  /** Verdicts, and `late` for usage that came after its reservation was released. */
  readonly seen: ReadonlySet<string>;
}

/** Lives through the steps with service and model side by side. @throws DifferenceFromModelError, BrokenPromiseError */
export const checkLife = async (product: Product, life: RandomLife): Promise<LifeReport> =>
  liveThrough(new LedgerRun(product, life.setting, life.isForgetful), life);

export const liveThrough = async (
  ledger: LedgerUnderTest,
  { setting, steps }: RandomLife,
): Promise<LifeReport> => {
  const life = new CheckedLife(ledger, setting);
  for (const step of steps) await life.take(step);
  return life.report();
};

/** Of `initialGrantUsd`. */
const initialGrantUnits = 50_000n;

class CheckedLife {
  private readonly model: CreditModel;
  private readonly sent: StepCommand[] = [];
  private readonly firstAnswers = new Map<string, string>();
  private readonly seen = new Set<string>();
  private commands = 0;

  constructor(
    private readonly run: LedgerUnderTest,
    { accountId, excessPolicy, openOnReserve, coarseInMs }: LifeSetting,
  ) {
    const freeMonthUnits = unitsOf(freeMonthCredits) ?? 0n;
    const coarseFromMs = startMs + (coarseInMs ?? Infinity);
    const rules = { excessPolicy, openOnReserve, initialGrantUnits, freeMonthUnits, coarseFromMs };
    this.model = new CreditModel(reservationTtlMs, accountId, rules);
  }

  report(): LifeReport {
    const { recalled, reader } = this.run;
    const { events, types: stored } = reader;
    return { commands: this.commands, events, stored, recalled, seen: this.seen };
  }

  async take(step: Step): Promise<void> {
    switch (step.type) {
      case 'clock':
        await this.run.setClock(this.run.nowMs + step.byMs);
        break;
      case 'restart':
        if ((await this.run.restart()) === 'lost') this.model.loseMemory();
        break;
      case 'forget':
        if ((await this.run.forget()) === 'lost') this.model.loseMemory();
        break;
      case 'send':
        await this.sendTogether(step.commands.map((draft) => this.make(draft)));
        break;
      case 'crash':
        await this.sendAcrossCrash(this.make(step.command), step.when);
        break;
      case 'again': {
        const earlier = this.sent.at(-1 - (step.back % Math.max(1, this.sent.length)));
        if (earlier) await this.sendTogether([step.otherBody ? withOtherBody(earlier) : earlier]);
        break;
      }
    }
    await this.compareViews();
    await this.run.readOn();
    this.comparePromises();
    this.compareTold();
  }

  private make(draft: Draft): StepCommand {
    const command = toCommand(draft, this.run.nowMs);
    this.sent.push(command);
    return command;
  }

  private async sendTogether(commands: readonly StepCommand[]): Promise<void> {
    if (!this.run.isBatching) {
      for (const command of commands) this.check(command, await this.run.send(command));
      return;
    }
    const replies = await this.run.sendTogether(commands);
    const places = [...commands.keys()];
    const inOrder = [
      ...places.filter((place) => isUrgent(commands[place]?.verb ?? 'open')),
      ...places.filter((place) => !isUrgent(commands[place]?.verb ?? 'open')),
    ];
    for (const place of inOrder) {
      const command = commands[place];
      if (command) this.check(command, replies[place]);
    }
  }

  /** What the dead life has carried out stands, and what it has refused is decided anew on a memory that is empty. */
  private async sendAcrossCrash(command: StepCommand, crash: Crash): Promise<void> {
    const { reply, died } = await this.run.sendAcrossCrash(command, crash);
    const first = died === 'after' ? this.model.apply(command, this.run.nowMs) : undefined;
    if (died !== 'not') this.model.loseMemory();
    this.check(command, reply, first?.verdict === 'accepted' ? first : undefined);
  }

  private check(
    command: StepCommand,
    reply: Reply | undefined,
    expected: ModelReply = this.model.apply(this.asSent(command), this.run.nowMs),
  ): void {
    this.commands++;
    this.seen.add(expected.verdict);
    if (!reply) return;
    const verdict = reply['status'] === 'accepted' ? 'accepted' : reply['reason'];
    same(command, 'verdict', expected.verdict, verdict);
    if (expected.late) this.seen.add('late');
    if (expected.debtUnits !== undefined) this.seen.add('debt');
    if (expected.verdict !== 'accepted') return;
    this.compareFigures(command, expected, reply);
    this.compareWithFirst(command, reply);
  }

  private asSent(command: StepCommand): StepCommand {
    const isDue = command.verb === 'expireGrant' || command.verb === 'postRecurring';
    return isDue && this.run.isSelfActing
      ? { ...command, id: `due${String(this.commands)}` }
      : command;
  }

  private compareFigures(command: StepCommand, expected: ModelReply, reply: Reply): void {
    const { reservedUnits, outputTokens, chargeUnits, debtUnits, refundedUnits, late, changed } =
      expected;
    if (reservedUnits !== undefined) {
      same(command, 'amountCredits', decimalOf(reservedUnits), reply['amountCredits']);
      same(command, 'outputTokens', outputTokens, reply['outputTokens']);
    }
    if (refundedUnits !== undefined) {
      same(command, 'refundedCredits', decimalOf(refundedUnits), reply['refundedCredits']);
    }
    if (chargeUnits !== undefined) {
      same(command, 'chargeCredits', decimalOf(chargeUnits), reply['chargeCredits']);
      const debt = debtUnits === undefined ? undefined : decimalOf(debtUnits);
      same(command, 'debtCredits', debt, reply['debtCredits']);
      same(command, 'late', late, reply['late']);
      same(command, 'changed', changed, reply['changed']);
    }
  }

  /** Promise 2: a repeated command gets the first answer, byte for byte. */
  private compareWithFirst(command: StepCommand, reply: Reply): void {
    const acts = Object.entries(reply).filter(([name]) => !momentary.has(name));
    const answer = canonicalJson(Object.fromEntries(acts) as Json);
    const key = `${command.verb} ${command.id} ${JSON.stringify(command.body)}`;
    const first = this.firstAnswers.get(key);
    if (first === undefined) this.firstAnswers.set(key, answer);
    else same(command, 'the first answer', first, answer);
  }

  private async compareViews(): Promise<void> {
    if (!this.model.isOpen) return;
    const expected = this.model.balanceAt(this.run.nowMs);
    const view = await this.run.balance();
    for (const figure of ['balance', 'reserved', 'available', 'debt'] as const) {
      same('the balance', figure, decimalOf(expected[figure]), view[figure]);
    }
    const used = this.model.limitsAt(this.run.nowMs);
    const { limits } = (await this.run.limits()) as {
      limits: { limitId: string; used?: string }[];
    };
    const seen = limits.map((each) => `${each.limitId} ${String(each.used)}`);
    const wanted = [...used].map(([limitId, some]) => `${limitId} ${String(some)}`);
    same('the limits', 'used', wanted.sort().join(), seen.sort().join());
  }

  private comparePromises(): void {
    const owed = decimalOf(this.model.owedUnits);
    same('the stream', 'debt', owed, this.run.reader.promises.debtCredits.toFixed());
  }

  /** What was told to whoever follows the account; the order within one command says nothing. */
  private compareTold(): void {
    const expected = [...this.model.takeTold()].sort().join('; ');
    same('the stream', 'told', expected, [...this.run.reader.takeTold()].sort().join('; '));
  }
}

const same = (of: StepCommand | string, what: string, expected: unknown, actual: unknown): void => {
  if (expected === actual) return;
  const command = typeof of === 'string' ? of : `${of.verb} ${of.id} ${JSON.stringify(of.body)}`;
  throw new DifferenceFromModelError(
    `${command}: ${what} is ${String(actual)}, by the model ${String(expected)}`,
  );
};
