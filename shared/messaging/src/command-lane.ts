import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { BatchVerb, CommandBatch, CommandBatchReply } from '@tollkeeper/contracts';
import { NoReplyError, NoResponderError } from './request.js';

export interface LaneCommand {
  readonly verb: BatchVerb;
  readonly accountId: string;
  readonly body: unknown;
}

export interface CommandLaneOptions {
  readonly subject: string;
  /** Of this connection's user: see `inboxPrefixOf`. */
  readonly inboxPrefix: string;
  /** Batches on the way at once; commands gather while all are out. */
  readonly batchesMax?: number;
  readonly commandsMax?: number;
  /** Runs right before a batch is published, e.g. to note its commands in a journal. */
  readonly beforeSend?: (commands: readonly LaneCommand[]) => void;
}

interface Waiting extends LaneCommand {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timeoutMs: number;
  timer?: NodeJS.Timeout;
}

interface Batch {
  readonly commands: readonly Waiting[];
  answered: number;
  onTheWay: boolean;
}

/**
 * Commands from this process to the credit service in self-clocked batches: one is sent at once if
 * nothing is on the way, else it gathers with others until an answer comes. No timer delays a lone command,
 * and under load the number of messages, which is the cost, stays low.
 */
export class CommandLane {
  private readonly queue: Waiting[] = [];
  private readonly batches = new Map<string, Batch>();
  private readonly inbox: string;
  private readonly answers: Subscription;
  private onTheWay = 0;
  private batchNo = 0;
  private scheduled = false;

  constructor(
    private readonly nats: NatsConnection,
    private readonly options: CommandLaneOptions,
  ) {
    this.inbox = `${options.inboxPrefix}.lane.${crypto.randomUUID()}`;
    this.answers = nats.subscribe(`${this.inbox}.*`, {
      callback: (error, message) => {
        if (!error) this.onAnswer(message);
      },
    });
  }

  /** The reply's JSON value. @throws NoReplyError, NoResponderError */
  send(command: LaneCommand, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.queue.push({ ...command, resolve, reject, timeoutMs });
      this.schedule();
    });
  }

  close(): void {
    this.answers.unsubscribe();
    for (const [key, batch] of this.batches)
      this.failBatch(key, batch, new NoReplyError('closing'));
  }

  /** Commands that one turn of the event loop brings (the answers of one batch, say) leave together. */
  private schedule(): void {
    if (this.scheduled || this.onTheWay >= (this.options.batchesMax ?? 2)) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    while (this.queue.length > 0 && this.onTheWay < (this.options.batchesMax ?? 2)) {
      this.publish(this.queue.splice(0, this.options.commandsMax ?? 256));
    }
  }

  private publish(commands: readonly Waiting[]): void {
    this.options.beforeSend?.(commands);
    const key = `${this.inbox}.${String(++this.batchNo)}`;
    const batch: Batch = { commands, answered: 0, onTheWay: true };
    this.batches.set(key, batch);
    this.onTheWay++;
    for (const command of commands) {
      command.timer = setTimeout(() => {
        command.reject(new NoReplyError(`no answer in ${String(command.timeoutMs)} ms`));
        this.settle(key, batch);
      }, command.timeoutMs);
    }
    const body: CommandBatch = {
      commands: commands.map((each) => [each.verb, each.accountId, each.body] as const),
    };
    try {
      this.nats.publish(this.options.subject, JSON.stringify(body), { reply: key });
    } catch (error) {
      this.failBatch(key, batch, new NoReplyError('not published', { cause: error }));
    }
  }

  private onAnswer(message: Msg): void {
    const batch = this.batches.get(message.subject);
    if (!batch) return;
    if (message.headers?.code === 503) {
      this.failBatch(message.subject, batch, new NoResponderError('nobody serves the lane'));
      return;
    }
    for (const [place, reply] of message.json<CommandBatchReply>().replies) {
      const command = batch.commands[place];
      if (!command) continue;
      clearTimeout(command.timer);
      command.resolve(reply);
      batch.answered++;
    }
    this.land(batch);
    if (batch.answered >= batch.commands.length) this.batches.delete(message.subject);
  }

  /** One slow account must not hold up the lane, so a batch has landed with its first answers. */
  private land(batch: Batch): void {
    if (!batch.onTheWay) return;
    batch.onTheWay = false;
    this.onTheWay--;
    this.schedule();
  }

  private settle(key: string, batch: Batch): void {
    batch.answered++;
    this.land(batch);
    if (batch.answered >= batch.commands.length) this.batches.delete(key);
  }

  private failBatch(key: string, batch: Batch, error: Error): void {
    this.batches.delete(key);
    for (const command of batch.commands) {
      clearTimeout(command.timer);
      command.reject(error);
    }
    this.land(batch);
  }
}
