import { uuidv7 } from '@tollkeeper/kernel';
import { decimalText } from './amount.js';
import type { Reservation, Settlement } from './answers.js';
import { SettlementPendingError, SettlementRefusedError, type WorkDone } from './errors.js';
import type { OpenReservation, Work } from './open-reservation.js';
import { RefusedError } from './refusals.js';
import type {
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
    await open.endAfterFailure(workError);
    throw workError;
  }
  return { value: done.value, settlement: await open.endAfter(done) };
};

class Working implements OpenReservation {
  readonly accountId: string;
  readonly reservationId: string;
  readonly amountCredits: string;
  readonly expiresAt: string;
  readonly outputTokens: number | undefined;

  private readonly settleId = uuidv7();
  private readonly releaseId = uuidv7();
  private called: boolean | ModelRef = false;
  private reported: Spending | undefined;
  /** Sent, and not answered so far. */
  private settling: Spending | undefined;
  private settlement: Settlement | undefined;
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
  }

  report(spending: Spending): void {
    this.reported = exact(spending);
  }

  async settle(spending: Spending): Promise<Settlement> {
    this.settling = exact(spending);
    try {
      const options = { ...this.reserved.options, commandId: this.settleId };
      this.settlement = await this.endings.settle(
        this.accountId,
        this.requestOf(spending),
        options,
      );
    } catch (error) {
      // A refused figure is not sent again when the work ends; the caller may have a better one.
      if (error instanceof RefusedError && !error.retryable) this.settling = undefined;
      throw error;
    }
    return this.settlement;
  }

  async release(reason: 'failed' | 'cancelled' = 'failed'): Promise<void> {
    const { accountId, reservationId } = this;
    const options = { ...this.reserved.options, commandId: this.releaseId };
    await this.endings.release(accountId, { reservationId, reason }, options);
    this.released = true;
  }

  /** A reservation that cannot be released expires by itself; the work's own error says more. */
  async endAfterFailure(workError: unknown): Promise<void> {
    if (this.ended) return;
    const spending = this.settling ?? this.reported ?? (this.called ? this.unknown() : undefined);
    if (spending) await this.settleOrReport(spending, { value: undefined, workError });
    else
      await this.release(this.reserved.signal?.aborted ? 'cancelled' : 'failed').catch(
        () => undefined,
      );
  }

  /** Undefined where the work released it. Work that says nothing of its usage is not free. */
  async endAfter(done: Work<unknown>): Promise<Settlement | undefined> {
    if (this.ended) return this.settlement;
    const returned = isSpending(done) ? done : undefined;
    const spending = this.settling ?? returned ?? this.reported ?? this.unknown();
    return this.settleOrReport(spending, { value: done.value, workError: undefined });
  }

  private get ended(): boolean {
    return this.released || this.settlement !== undefined;
  }

  private async settleOrReport(
    spending: Spending,
    work: { readonly value: unknown; readonly workError: unknown },
  ): Promise<Settlement> {
    try {
      return await this.settle(spending);
    } catch (cause) {
      const { accountId, settleId: commandId } = this;
      const settlement = { accountId, commandId, request: this.requestOf(spending) };
      const unsettled = { ...work, settlement, cause };
      const what = `reservation ${this.reservationId} of ${accountId}`;
      if (cause instanceof RefusedError && !cause.retryable) {
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
    return { reservationId: this.reservationId, ...exact(spending) };
  }
}

const isSpending = (work: object): work is Spending =>
  ('attempts' in work && work.attempts !== undefined) ||
  ('amountCredits' in work && work.amountCredits !== undefined);

/** Plain JSON, checked when it is said, not when it is too late. */
const exact = ({ attempts, amountCredits }: Spending): Spending =>
  amountCredits === undefined
    ? { attempts }
    : { amountCredits: decimalText(amountCredits, 'amountCredits') };
