import { canonicalJson, type Json } from '@tollkeeper/kernel';
import { CreditModel, decimalOf, type ModelReply, unitsOf } from '@tollkeeper/testing';
import {
  freeMonthCredits,
  LedgerRun,
  reservationTtlMs,
  type Product,
  type Reply,
} from './ledger-run.fixture.js';
import {
  toCommand,
  withOtherBody,
  type Draft,
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
export const checkLife = async (
  product: Product,
  { isForgetful, steps }: RandomLife,
): Promise<LifeReport> => {
  const life = new CheckedLife(product, isForgetful);
  for (const step of steps) await life.take(step);
  return life.report();
};

class CheckedLife {
  private readonly model = new CreditModel(reservationTtlMs, unitsOf(freeMonthCredits));
  private readonly run: LedgerRun;
  private readonly sent: StepCommand[] = [];
  private readonly firstAnswers = new Map<string, string>();
  private readonly seen = new Set<string>();
  private commands = 0;

  constructor(
    product: Product,
    private readonly isForgetful: boolean,
  ) {
    this.run = new LedgerRun(product, isForgetful);
  }

  report(): LifeReport {
    const { eventsStored, recalled, stored } = this.run;
    return { commands: this.commands, events: eventsStored, stored, recalled, seen: this.seen };
  }

  async take(step: Step): Promise<void> {
    switch (step.type) {
      case 'clock':
        this.run.nowMs += step.byMs;
        break;
      case 'restart':
        this.run.restart();
        break;
      case 'forget':
        await this.run.forget();
        break;
      case 'send':
        await this.sendTogether(step.commands.map((draft) => this.make(draft)));
        break;
      case 'crash': {
        const command = this.make(step.command);
        const reply = await this.run.sendAcrossCrash(command, step.when);
        this.check(command, reply);
        break;
      }
      case 'again': {
        const earlier = this.sent.at(-1 - (step.back % Math.max(1, this.sent.length)));
        if (earlier) await this.sendTogether([step.otherBody ? withOtherBody(earlier) : earlier]);
        break;
      }
    }
    await this.compareBalances();
    this.run.prove();
    this.comparePromises();
  }

  private make(draft: Draft): StepCommand {
    const command = toCommand(draft, this.run.nowMs);
    this.sent.push(command);
    return command;
  }

  private async sendTogether(commands: readonly StepCommand[]): Promise<void> {
    // What waits for the index is overtaken by what need not: nobody could tell the order of a batch.
    if (this.isForgetful) {
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
      const reply = replies[place];
      if (command && reply) this.check(command, reply);
    }
  }

  private check(command: StepCommand, reply: Reply): void {
    this.commands++;
    const expected = this.model.apply(command, this.run.nowMs);
    const verdict = reply['status'] === 'accepted' ? 'accepted' : reply['reason'];
    same(command, 'verdict', expected.verdict, verdict);
    this.seen.add(expected.verdict);
    if (expected.late) this.seen.add('late');
    if (expected.debtUnits !== undefined) this.seen.add('debt');
    if (expected.verdict !== 'accepted') return;
    this.compareFigures(command, expected, reply);
    this.compareWithFirst(command, reply);
  }

  private compareFigures(command: StepCommand, expected: ModelReply, reply: Reply): void {
    const { reservedUnits, outputTokens, chargeUnits, debtUnits, refundedUnits, late } = expected;
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
    }
  }

  /** Promise 2: a repeated command gets the first answer, byte for byte. */
  private compareWithFirst(command: StepCommand, reply: Reply): void {
    const acts = Object.entries(reply).filter(([name]) => !momentary.has(name));
    const answer = canonicalJson(Object.fromEntries(acts) as Json);
    const key = `${command.id} ${JSON.stringify(command.body)}`;
    const first = this.firstAnswers.get(key);
    if (first === undefined) this.firstAnswers.set(key, answer);
    else same(command, 'the first answer', first, answer);
  }

  private async compareBalances(): Promise<void> {
    if (!this.model.isOpen) return;
    const expected = this.model.balanceAt(this.run.nowMs);
    const view = await this.run.balance();
    for (const figure of ['balance', 'reserved', 'available', 'debt'] as const) {
      same('the balance', figure, decimalOf(expected[figure]), view[figure]);
    }
  }

  private comparePromises(): void {
    const owed = decimalOf(this.model.balanceAt(this.run.nowMs).debt);
    same('the stream', 'debt', owed, this.run.promises.debtCredits.toFixed());
  }
}

const same = (of: StepCommand | string, what: string, expected: unknown, actual: unknown): void => {
  if (expected === actual) return;
  const command = typeof of === 'string' ? of : `${of.verb} ${of.id} ${JSON.stringify(of.body)}`;
  throw new DifferenceFromModelError(
    `${command}: ${what} is ${String(actual)}, by the model ${String(expected)}`,
  );
};
