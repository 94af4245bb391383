import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import {
  anyLane,
  partitionOf,
  type BatchVerb,
  type CommandBatchReply,
  type Refused,
} from '@tollkeeper/contracts';
import { CommandQueue } from './command-queue.js';
import { NoReplyError, NoResponderError } from './request.js';

export interface LaneCommand {
  readonly verb: BatchVerb;
  readonly accountId: string;
  readonly body: unknown;
}

export interface CommandLaneOptions {
  /** The subject that any instance takes batches from; an instance's own ends in its id instead. */
  readonly subject: string;
  /** Of this connection's user: see `inboxPrefixOf`. */
  readonly inboxPrefix: string;
  /** Batches on the way to one instance at once; commands gather while all are out. */
  readonly batchesMax?: number;
  readonly commandsMax?: number;
  /** A reserve that would wait behind one that has waited for so long is refused as overloaded. */
  readonly waitMaxMs?: number;
  /** Runs right before a batch is published, e.g. to note its commands in a journal. */
  readonly beforeSend?: (commands: readonly LaneCommand[]) => void;
}

interface Waiting extends LaneCommand {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
  /** As it stands in a CommandBatch: made once, however often it is sent. */
  readonly text: string;
  readonly bytes: number;
  readonly sinceMs: number;
  readonly timeoutMs: number;
  timer: NodeJS.Timeout | undefined;
  /** The batch that it is on the way in. */
  batch: Batch | undefined;
  over: boolean;
}

interface Batch {
  readonly key: string;
  readonly to: Destination;
  readonly commands: readonly Waiting[];
  answered: number;
  onTheWay: boolean;
}

/** Where batches go: to one instance, or to any. */
interface Destination {
  readonly instance: string;
  readonly subject: string;
  readonly queue: CommandQueue<Waiting>;
  onTheWay: number;
  scheduled: boolean;
}

/** NATS's own limit, for as long as the server has not said its own. */
const payloadBytesMax = 1024 * 1024;
/** Around the commands of a batch, and for the headers of one that an instance passes on to its owner. */
const headroomBytes = 4 * 1024;

const overloaded: Refused = {
  status: 'refused',
  reason: 'overloaded',
  message: 'too many commands are waiting; retry after a second',
  retryable: true,
  details: { retryAfterMs: 1_000 },
};

const tooLarge: Refused = {
  status: 'refused',
  reason: 'invalid-request',
  message: 'the command is larger than a message may be',
  retryable: false,
};

/**
 * Commands from this process to the credit service in self-clocked batches: one is sent at once if
 * nothing is on the way, else it gathers with others until an answer comes. No timer delays a lone command,
 * and under load the number of messages, which is the cost, stays low.
 *
 * Answers name the instances that own the accounts; from then on each owner has a destination of its own. When
 * it falls silent or is gone, its commands go to any instance again, which knows or learns the next owner.
 */
export class CommandLane {
  private readonly any: Destination;
  private readonly destinations = new Map<string, Destination>();
  /** By partition; empty as long as there is a single instance. */
  private readonly owners = new Map<number, Destination>();
  private readonly batches = new Map<string, Batch>();
  private readonly inbox: string;
  private readonly answers: Subscription;
  private readonly batchesMax: number;
  private batchNo = 0;

  constructor(
    private readonly nats: NatsConnection,
    private readonly options: CommandLaneOptions,
  ) {
    this.batchesMax = options.batchesMax ?? 2;
    this.any = destination(anyLane, options.subject);
    this.inbox = `${options.inboxPrefix}.lane.${crypto.randomUUID()}`;
    this.answers = nats.subscribe(`${this.inbox}.*`, {
      callback: (error, message) => {
        if (!error) this.onAnswer(message);
      },
    });
  }

  /**
   * The reply's JSON value, within the time given from now on. What can wait no longer, or is too large to be sent, is
   * refused here, in the words of the service.
   *
   * @throws NoReplyError, NoResponderError
   */
  send(command: LaneCommand, timeoutMs: number): Promise<unknown> {
    const { verb, accountId, body } = command;
    const text = JSON.stringify([verb, accountId, body]);
    const bytes = Buffer.byteLength(text) + 1;
    if (bytes > this.batchBytesMax) return Promise.resolve(tooLarge);
    const to = this.ownerOf(accountId);
    const sinceMs = performance.now();
    if (verb === 'reserve') {
      const oldest = to.queue.oldestReserve();
      if (oldest && sinceMs - oldest.sinceMs > (this.options.waitMaxMs ?? 500)) {
        return Promise.resolve(overloaded);
      }
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        verb,
        accountId,
        body,
        resolve,
        reject,
        text,
        bytes,
        sinceMs,
        timeoutMs,
        timer: undefined,
        batch: undefined,
        over: false,
      };
      waiting.timer = setTimeout(() => this.onTimeout(waiting), timeoutMs);
      to.queue.push(waiting);
      this.schedule(to);
    });
  }

  close(): void {
    this.answers.unsubscribe();
    const closing = new NoReplyError('closing');
    for (const batch of this.batches.values()) this.failBatch(batch, closing);
    for (const { queue } of [this.any, ...this.destinations.values()]) {
      for (const command of queue.take(Infinity, Infinity)) fail(command, closing);
    }
  }

  private get batchBytesMax(): number {
    return (this.nats.info?.max_payload ?? payloadBytesMax) - headroomBytes;
  }

  private ownerOf(accountId: string): Destination {
    if (this.owners.size === 0) return this.any;
    return this.owners.get(partitionOf(accountId)) ?? this.any;
  }

  /** Commands that one turn of the event loop brings (the answers of one batch, say) leave together. */
  private schedule(to: Destination): void {
    if (to.scheduled || to.onTheWay >= this.batchesMax) return;
    to.scheduled = true;
    setImmediate(() => {
      to.scheduled = false;
      this.flush(to);
    });
  }

  private flush(to: Destination): void {
    while (to.onTheWay < this.batchesMax) {
      const commands = to.queue.take(this.options.commandsMax ?? 256, this.batchBytesMax);
      if (commands.length === 0) return;
      this.publish(to, commands);
    }
  }

  private publish(to: Destination, commands: readonly Waiting[]): void {
    this.options.beforeSend?.(commands);
    const key = `${this.inbox}.${String(++this.batchNo)}`;
    const batch: Batch = { key, to, commands, answered: 0, onTheWay: true };
    this.batches.set(key, batch);
    to.onTheWay++;
    for (const command of commands) command.batch = batch;
    const texts = commands.map(({ text }) => text);
    try {
      this.nats.publish(to.subject, `{"commands":[${texts.join(',')}]}`, { reply: key });
    } catch (error) {
      this.failBatch(batch, new NoReplyError('not published', { cause: error }));
    }
  }

  private onAnswer(message: Msg): void {
    const batch = this.batches.get(message.subject);
    if (!batch) return;
    if (message.headers?.code === 503) {
      this.onNobodyThere(batch);
      return;
    }
    const { replies, owners } = message.json<CommandBatchReply>();
    if (owners) this.learn(owners);
    for (const [place, reply] of replies) {
      const command = batch.commands[place];
      if (!command || command.over) continue;
      command.over = true;
      clearTimeout(command.timer);
      command.resolve(reply);
      batch.answered++;
    }
    this.land(batch);
    if (batch.answered >= batch.commands.length) this.batches.delete(batch.key);
  }

  private learn(owners: NonNullable<CommandBatchReply['owners']>): void {
    for (const [partition, instance] of owners) {
      let owner = this.destinations.get(instance);
      if (!owner) {
        owner = destination(instance, this.options.subject.replace(/[^.]*$/, instance));
        this.destinations.set(instance, owner);
      }
      this.owners.set(partition, owner);
    }
  }

  /** Its commands, and those that wait for it, were surely not carried out: any instance may have them. */
  private onNobodyThere(batch: Batch): void {
    if (batch.to === this.any) {
      this.failBatch(batch, new NoResponderError('nobody serves the lane'));
      return;
    }
    this.batches.delete(batch.key);
    this.forget(batch.to);
    for (const command of batch.commands) {
      if (!command.over) this.any.queue.push(command);
    }
    this.land(batch);
    this.schedule(this.any);
  }

  private forget(gone: Destination): void {
    this.destinations.delete(gone.instance);
    for (const [partition, owner] of this.owners) {
      if (owner === gone) this.owners.delete(partition);
    }
    for (const command of gone.queue.take(Infinity, Infinity)) this.any.queue.push(command);
    this.schedule(this.any);
  }

  /** One slow account must not hold up the lane, so a batch has landed with its first answers. */
  private land(batch: Batch): void {
    if (!batch.onTheWay) return;
    batch.onTheWay = false;
    batch.to.onTheWay--;
    this.schedule(batch.to);
  }

  private onTimeout(command: Waiting): void {
    const { batch } = command;
    const sent = batch ? 'no answer' : 'not sent';
    fail(command, new NoReplyError(`${sent} in ${String(command.timeoutMs)} ms`));
    if (!batch) return;
    // An owner that has answered nothing at all may be gone without having said so.
    if (batch.onTheWay && batch.to !== this.any) this.forget(batch.to);
    batch.answered++;
    this.land(batch);
    if (batch.answered >= batch.commands.length) this.batches.delete(batch.key);
  }

  private failBatch(batch: Batch, error: Error): void {
    this.batches.delete(batch.key);
    for (const command of batch.commands) fail(command, error);
    this.land(batch);
  }
}

const destination = (instance: string, subject: string): Destination => ({
  instance,
  subject,
  queue: new CommandQueue<Waiting>(),
  onTheWay: 0,
  scheduled: false,
});

const fail = (command: Waiting, error: Error): void => {
  if (command.over) return;
  command.over = true;
  clearTimeout(command.timer);
  command.reject(error);
};
