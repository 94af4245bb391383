import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import {
  anyLane,
  creditSubjects,
  forwardHeaders,
  headers as headerNames,
  partitionOf,
  type BatchVerb,
  type CommandBatchReply,
} from '@tollkeeper/contracts';
import { isNoResponders, type InstanceRouting, type NatsConnection } from '@tollkeeper/messaging';
import { notOwner } from '../application/credit-accounts.js';
import type { LeaseKeeper } from '../application/ownership/lease-keeper.js';
import { toReply } from '../credit.convert.js';

/** What is passed on, whatever it came in. */
interface Passed {
  readonly accountId: string;
  readonly subject: string;
  readonly data: Uint8Array | string;
  readonly headers: MsgHdrs | undefined;
}

/** Longer than a lease: a message for an account that nobody owns at the moment waits for its next owner. */
const holdMs = 8_000;
const lookAgainMs = 200;
/** To the owner that the first instance knows, and from there to the one that it has just handed over to. */
const hopsMax = 2;
const heldMax = 20_000;

const notOwnerReply = JSON.stringify(toReply(notOwner));

/**
 * Serves the messages of the accounts that this instance owns and passes the others on to their owners. The
 * reply comes back through here and not straight from the owner, because only the sender of a message learns
 * from NATS that its receiver is gone: such a message waits here for the next owner.
 */
export class PartitionRouter {
  private passing = 0;

  constructor(
    private readonly nats: NatsConnection,
    private readonly keeper: LeaseKeeper,
  ) {}

  get instanceRouting(): InstanceRouting {
    const any = creditSubjects.batch(anyLane);
    return {
      forwardedSubject: creditSubjects.direct(this.keeper.instance),
      ownSubjects: { [any]: creditSubjects.batch(this.keeper.instance) },
      route: (message, subject) => this.route(message, subject),
    };
  }

  /** One command of a batch; undefined: it is served here. */
  routeCommand(
    verb: BatchVerb,
    accountId: string,
    body: unknown,
  ): Promise<object | 'here'> | undefined {
    if (this.keeper.serves(partitionOf(accountId))) return undefined;
    const sent = headers();
    sent.set(headerNames.actor, 'gateway');
    const subject = creditSubjects[verb](accountId);
    const data = JSON.stringify(body);
    return this.pass({ accountId, subject, data, headers: sent }).then((reply) => {
      if (reply === 'here') return reply;
      // The place of an unanswered command stays empty, and its caller gives up in its own time.
      if (reply === 'unanswered') return new Promise<never>(() => undefined);
      return JSON.parse(new TextDecoder().decode(reply)) as object;
    });
  }

  /** Whom to send such commands to the next time; nothing as long as there is only one instance. */
  ownersOf(commands: readonly unknown[], deliveredOn: string): CommandBatchReply['owners'] {
    if (!this.keeper.hasPeers) return undefined;
    const toAny = deliveredOn === creditSubjects.batch(anyLane);
    const owners = new Map<number, string>();
    for (const command of commands) {
      const accountId: unknown = Array.isArray(command) ? command[1] : undefined;
      if (typeof accountId !== 'string') continue;
      const partition = partitionOf(accountId);
      const owner = this.keeper.ownerOf(partition);
      if (owner !== undefined && (toAny || owner !== this.keeper.instance)) {
        owners.set(partition, owner);
      }
    }
    return owners.size === 0 ? undefined : [...owners];
  }

  /** Resolves when nothing is on its way to another instance any more. */
  async idle(): Promise<void> {
    while (this.passing > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  private route(
    message: Msg,
    subject: string,
  ): Promise<Uint8Array | 'unanswered' | 'here'> | undefined {
    const accountId = subject.slice(subject.lastIndexOf('.') + 1);
    if (this.keeper.serves(partitionOf(accountId))) return undefined;
    return this.pass({ accountId, subject, data: message.data, headers: message.headers });
  }

  private async pass(passed: Passed): Promise<Uint8Array | 'unanswered' | 'here'> {
    if (this.passing >= heldMax) return encoded(notOwnerReply);
    this.passing++;
    try {
      return await this.passWithin(passed, performance.now() + holdMs);
    } finally {
      this.passing--;
    }
  }

  private async passWithin(
    passed: Passed,
    untilMs: number,
  ): Promise<Uint8Array | 'unanswered' | 'here'> {
    const { keeper } = this;
    const partition = partitionOf(passed.accountId);
    const hops = numberIn(passed.headers, forwardHeaders.hops);
    const sendersRevision = numberIn(passed.headers, forwardHeaders.tableRevision);
    for (let leftMs = holdMs; leftMs > 0; leftMs = untilMs - performance.now()) {
      if (keeper.serves(partition)) return 'here';
      const owner = keeper.ownerOf(partition);
      // Who passed it on may know of a change that has not come here yet.
      const behind = keeper.revision < sendersRevision;
      if (!behind && owner !== undefined && owner !== keeper.instance) {
        if (hops >= hopsMax) return encoded(notOwnerReply);
        const reply = await this.send(owner, passed, hops + 1, leftMs);
        if (reply !== 'nobody') return reply;
      }
      await keeper.changed(lookAgainMs);
    }
    return encoded(notOwnerReply);
  }

  private async send(
    owner: string,
    passed: Passed,
    hops: number,
    timeout: number,
  ): Promise<Uint8Array | 'unanswered' | 'nobody'> {
    const sent = headers();
    for (const name of Object.values(headerNames)) {
      const value = passed.headers?.get(name);
      if (value) sent.set(name, value);
    }
    sent.set(forwardHeaders.subject, passed.subject);
    sent.set(forwardHeaders.hops, String(hops));
    sent.set(forwardHeaders.tableRevision, String(this.keeper.revision));
    try {
      const subject = creditSubjects.direct(owner);
      const reply = await this.nats.request(subject, passed.data, { headers: sent, timeout });
      return reply.data;
    } catch (error) {
      // It may have been carried out or not: silence says so, and the caller asks again by the same id.
      return isNoResponders(error) ? 'nobody' : 'unanswered';
    }
  }
}

const encoded = (text: string): Uint8Array => new TextEncoder().encode(text);

const numberIn = (from: MsgHdrs | undefined, name: string): number => {
  const value = Number(from?.get(name));
  return Number.isSafeInteger(value) ? value : 0;
};
