import type { StepCommand } from './model-steps.fixture.js';
import type { StreamReader } from './stream-reader.fixture.js';

/** When the process dies around the next append. */
export type Crash = 'before' | 'after';

/** What a reply says, as on the wire. */
export type Reply = Readonly<Record<string, unknown>>;

/** Whether what the account's owner kept in memory alone is gone. */
export type Memory = 'lost' | 'kept';

/** The answer of the next life, and whether the last one had got as far as to carry the command out; or nobody died. */
export interface Survived {
  readonly reply: Reply | undefined;
  readonly died: Crash | 'not';
}

/** One account of a ledger that lives through the steps of a random life, beside the model. */
export interface LedgerUnderTest {
  readonly nowMs: number;
  /** Whether commands that are sent together are decided in their order, the urgent ones first. */
  readonly isBatching: boolean;
  /** Whether what the service does by itself has another command id each time. */
  readonly isSelfActing: boolean;
  /** What the account's stream has shown so far. */
  readonly reader: StreamReader;
  readonly setClock: (nowMs: number) => Promise<void>;
  /** Undefined: nobody is told what became of it. */
  readonly send: (command: StepCommand) => Promise<Reply | undefined>;
  readonly sendTogether: (commands: readonly StepCommand[]) => Promise<(Reply | undefined)[]>;
  readonly sendAcrossCrash: (command: StepCommand, crash: Crash) => Promise<Survived>;
  /** The account leaves memory, as an idle one does. */
  readonly forget: () => Promise<Memory>;
  readonly restart: () => Promise<Memory>;
  readonly balance: () => Promise<Reply>;
  readonly limits: () => Promise<Reply>;
  /** Hands what the stream has got since to the reader. @throws BrokenPromiseError */
  readonly readOn: () => Promise<void>;
  /** Questions to the index about reservations that memory did not hold. */
  readonly recalled: number;
}
