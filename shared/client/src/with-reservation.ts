import { uuidv7 } from '@tollkeeper/kernel';
import { decimalText } from './amount.js';
import type { Reservation, Settlement } from './answers.js';
import { SettlementPendingError, SettlementRefusedError, type WorkDone } from './errors.js';
import type { OpenReservation, Work } from './open-reservation.js';
import { RefusedError } from './refusals.js';
import type {
  Attempt,
  CallOptions,
  ModelRef,
  ReleaseRequest,
  ReserveRequest,
  SettleRequest,
  Spending,
} from './requests.js';

/** The commands that end a reservation. */
export interface Endings {
  settle(accountId: string, request: SettleRequest, options: CallOptions): Promise<Settlement>;
  release(accountId: string, request: ReleaseRequest, options: CallOptions): Promise<void>;
}

interface Reserved {
  readonly reservation: Reservation;
  readonly request: ReserveRequest;
  /** Without a signal: what was begun is ended. */
  readonly options: Omit<CallOptions, 'signal' | 'commandId'>;
  readonly signal: AbortSignal | undefined;
}

export const withReservation = async <T>(
  endings: Endings,
  reserved: Reserved,
  work: (reservation: OpenReservation) => Promise<Work<T>>,
): Promise<WorkDone<T>> => {
  const open = new Working(endings, reserved);
  let done: Work<T>;
  try {
    done = await work(open);
  } catch (workError) {
    await open.end({ value: undefined, workError });
    throw workError;
  }
  try {
    open.returned(done);
  } catch (workError) {
    // The work is done, so it is charged as far as it is known, and then told.
    await open.end({ value: valueOf(done), workError });
    throw workError;
  }
  return {
    value: done.value,
    settlement: await open.end({ value: done.value, workError: undefined }),
  };
};

interface WorkEnd {
  /** What it returned. */
  readonly value: unknown;
  /** What it threw, or what is wrong with what it returned. */
  readonly workError: unknown;
}

class Working implements OpenReservation {
  readonly accountId: string;
  readonly reservationId: string;
  readonly amountCredits: string;
  readonly expiresAt: string;
  readonly outputTokens: number | undefined;

  private readonly settleId = uuidv7();
  private readonly releaseId = uuidv7();
  /** From here on what is not known is not free. */
  private called: boolean | ModelRef = false;
  private reported: Spending | undefined;
  /** Sent, and not answered so far. */
  private settling: Spending | undefined;
  private settlement: Settlement | undefined;
  /** Why; said by the work, and not yet answered with a yes. */
  private releasing: 'failed' | 'cancelled' | undefined;
  private released = false;

  constructor(
    private readonly endings: Endings,
    private readonly reserved: Reserved,
  ) {
    const { reservation } = reserved;
    this.accountId = reservation.accountId;
    this.reservationId = reservation.reservationId;
    this.amountCredits = reservation.amountCredits;
    this.expiresAt = reservation.expiresAt;
    this.outputTokens = reservation.outputTokens;
  }

  vendorCalled(model?: ModelRef): void {
    this.called = model ?? true;
    this.releasing = undefined;
  }

  report(spending: Spending): void {
    this.used();
    this.reported = exact(spending);
  }

  async settle(spending: Spending): Promise<Settlement> {
    this.used();
    const settling = exact(spending);
    this.settling = settling;
    try {
      const options = { ...this.reserved.options, commandId: this.settleId };
      this.settlement = await this.endings.settle(
        this.accountId,
        this.requestOf(settling),
        options,
      );
    } catch (error) {
      // A refused figure is not sent again when the work ends; the caller may have a better one.
      if (isFinal(error)) this.settling = undefined;
      throw error;
    }
    return this.settlement;
  }

  async release(reason: 'failed' | 'cancelled' = 'failed'): Promise<void> {
    const { accountId, reservationId } = this;
    const options = { ...this.reserved.options, commandId: this.releaseId };
    // Whatever is answered, or not: who said that nobody billed is not charged at the bound for that.
    this.releasing = reason;
    await this.endings.release(accountId, { reservationId, reason }, options);
    this.released = true;
  }

  /** Work that has come to its end and says nothing of its usage is not free. @throws TypeError */
  returned(done: unknown): void {
    this.called ||= true;
    if (typeof done !== 'object' || done === null) {
      const what = done === null ? 'null' : typeof done;
      throw new TypeError(`the work must return { value } with what it used, not ${what}`);
    }
    if (isSpending(done)) this.report(done);
  }

  /** By what the work said last. One that cannot be released expires by itself. Undefined where it was released. */
  async end(work: WorkEnd): Promise<Settlement | undefined> {
    if (this.ended) return this.settlement;
    const spending = this.settling ?? (this.releasing ? undefined : this.presumed());
    if (spending) return this.settleOrReport(spending, work);
    const reason = this.reserved.signal?.aborted ? 'cancelled' : 'failed';
    await this.release(this.releasing ?? reason).catch(() => undefined);
    return undefined;
  }

  /** What was used as far as it is known; undefined where that is surely nothing. */
  private presumed(): Spending | undefined {
    return this.reported ?? (this.called ? this.unknown() : undefined);
  }

  /** Whoever has figures has used something, even if these figures are wrong. */
  private used(): void {
    this.called ||= true;
    this.releasing = undefined;
  }

  private get ended(): boolean {
    return this.released || this.settlement !== undefined;
  }

  private async settleOrReport(spending: Spending, work: WorkEnd): Promise<Settlement> {
    try {
      return await this.settle(spending);
    } catch (cause) {
      const { accountId, settleId: commandId } = this;
      const settlement = { accountId, commandId, request: this.requestOf(spending) };
      const unsettled = { ...work, settlement, cause };
      const what = `reservation ${this.reservationId} of ${accountId}`;
      if (isFinal(cause)) {
        throw new SettlementRefusedError(`${what} was not settled: ${cause.message}`, unsettled);
      }
      throw new SettlementPendingError(`${what} is not settled yet`, unsettled);
    }
  }

  /** What is charged where the vendor may have billed and nobody knows how much: the bound. */
  private unknown(): Spending {
    const { request } = this.reserved;
    if ('amountCredits' in request) return { amountCredits: this.amountCredits };
    const model = typeof this.called === 'object' ? this.called : request.candidates[0];
    if (!model) throw new TypeError('a completion has at least one candidate');
    return { attempts: [{ ...model, provenance: 'unknown' }] };
  }

  private requestOf(spending: Spending): SettleRequest {
    return { reservationId: this.reservationId, ...spending };
  }
}

/** Sent again as it is, it would fail again: refused for good, or too large to be sent. */
const isFinal = (error: unknown): error is Error =>
  error instanceof TypeError || (error instanceof RefusedError && !error.retryable);

const isSpending = (work: object): work is Spending =>
  ('attempts' in work && work.attempts !== undefined) ||
  ('amountCredits' in work && work.amountCredits !== undefined);

const valueOf = (done: unknown): unknown =>
  typeof done === 'object' && done !== null && 'value' in done ? done.value : done;

/** Plain JSON of its own, checked when it is said, not when it is too late. @throws TypeError */
const exact = ({ attempts, amountCredits }: Spending): Spending => {
  if (amountCredits !== undefined) {
    return { amountCredits: decimalText(amountCredits, 'amountCredits') };
  }
  if (!Array.isArray(attempts)) throw new TypeError('attempts: not a list');
  return { attempts: JSON.parse(JSON.stringify(attempts)) as Attempt[] };
};
