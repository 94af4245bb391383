import { anyLane, creditSubjects, partitionOf } from '@tollkeeper/contracts';
import {
  CommandLane,
  connectNats,
  inboxPrefixOf,
  NoReplyError,
  request,
  type NatsConnection,
} from '@tollkeeper/messaging';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCreditCluster, type CreditCluster } from '../support/credit-cluster.js';

interface Reply {
  readonly status?: string;
  readonly reason?: string;
  readonly retryable?: boolean;
}

/** How many reserves an account has open or charged, by its events. */
const takenOf = (events: Awaited<ReturnType<CreditCluster['eventsOf']>>): number =>
  events.filter((each) => each.type === 'Reserved').length -
  events.filter((each) => each.type === 'Released').length;

const names = ['a', 'b', 'c'] as const;

describe('three credit instances', () => {
  let cluster: CreditCluster;
  let operator: NatsConnection;
  let gateway: NatsConnection;
  let lane: CommandLane;
  /** A node of KurrentDB may hold the accounts of an earlier run. */
  const run = crypto.randomUUID().slice(0, 8);
  let opened = 0;

  beforeAll(async () => {
    cluster = await startCreditCluster({ instances: names, env: { LEASE_MS: '3000' } });
    operator = await connectNats({ url: cluster.nats.url('operator'), name: 'spec' });
    gateway = await connectNats({ url: cluster.nats.url('gateway'), name: 'spec' });
    lane = new CommandLane(gateway, {
      subject: creditSubjects.batch(anyLane),
      inboxPrefix: inboxPrefixOf(cluster.nats.url('gateway')),
    });
    await cluster.settled(...names);
  }, 120_000);
  afterAll(async () => {
    lane.close();
    await operator.close();
    await gateway.close();
    await cluster.stop();
  }, 60_000);

  const ask = async (subject: string, body: object, timeoutMs = 10_000): Promise<Reply> =>
    (await request(operator, subject, body, { timeoutMs })) as Reply;

  /** Of a partition that this instance owns. */
  const openAccount = async (amountCredits: string, owner?: string): Promise<string> => {
    const { owners } = await cluster.ownership();
    let accountId = `acc_${run}_${String(++opened)}`;
    while (owner !== undefined && owners[partitionOf(accountId)] !== owner) {
      accountId = `acc_${run}_${String(++opened)}`;
    }
    const open = { ownerUserId: 'usr_1', tier: 'pro' };
    expect(await ask(creditSubjects.open(accountId), open)).toMatchObject({ status: 'accepted' });
    const grant = { commandId: crypto.randomUUID(), amountCredits };
    expect(await ask(creditSubjects.grant(accountId), grant)).toMatchObject({ status: 'accepted' });
    return accountId;
  };

  const reserve = async (
    accountId: string,
    commandId: string,
    over: 'lane' | 'plain',
    timeoutMs = 10_000,
  ): Promise<Reply> => {
    const body = { commandId, amountCredits: '1' };
    return over === 'plain'
      ? ask(creditSubjects.reserve(accountId), body, timeoutMs)
      : ((await lane.send({ verb: 'reserve', accountId, body }, timeoutMs)) as Reply);
  };

  /** As a caller that must know: asks again by the same id until there is an answer that counts. */
  const surely = async (accountId: string, commandId: string): Promise<Reply> => {
    for (;;) {
      try {
        const reply = await reserve(accountId, commandId, 'plain', 1_000);
        if (reply.retryable !== true) return reply;
      } catch (error) {
        if (!(error instanceof NoReplyError)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  it('own fair shares', async () => {
    const { owners } = await cluster.ownership();
    const counts = names.map((name) => owners.filter((owner) => owner === name).length).sort();
    expect(counts).toEqual([21, 21, 22]);
  });

  it.each(['lane', 'plain'] as const)(
    'serve exactly as many of 500 callers as one account affords, over %s messages',
    async (over) => {
      const accountId = await openAccount('100');
      const replies = await Promise.all(
        Array.from({ length: 500 }, () => reserve(accountId, crypto.randomUUID(), over)),
      );
      const accepted = replies.filter((reply) => reply.status === 'accepted');
      const refused = replies.filter((reply) => reply.reason === 'insufficient-credits');
      expect([accepted.length, refused.length]).toEqual([100, 400]);
      expect(takenOf(await cluster.eventsOf(accountId))).toBe(100);
    },
  );

  it('are all restarted under load without a refused or a failed request', async () => {
    const accounts = await Promise.all(Array.from({ length: 40 }, () => openAccount('1000000')));
    const bad: unknown[] = [];
    let done = 0;
    let over = false;
    const caller = async (n: number): Promise<void> => {
      for (let round = 0; !over; round++) {
        const accountId = accounts[(n * 7 + round) % accounts.length] ?? '';
        try {
          const by = n % 2 === 0 ? 'lane' : 'plain';
          const reply = await reserve(accountId, crypto.randomUUID(), by);
          if (reply.status === 'accepted') done++;
          else bad.push(reply);
        } catch (error) {
          bad.push(error);
        }
        // Leaves some of the machine to the processes that start.
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const callers = Array.from({ length: 8 }, (_, n) => caller(n));
    for (const name of names) {
      await cluster.instances.get(name)?.stop();
      await cluster.start(name);
    }
    await cluster.settled(...names);
    over = true;
    await Promise.all(callers);
    expect(bad).toEqual([]);
    const events = await Promise.all(accounts.map((each) => cluster.eventsOf(each)));
    expect(events.map(takenOf).reduce((sum, each) => sum + each, 0)).toBe(done);
    console.log(`rolling restart: ${String(done)} reserves, none refused, none failed`);
  }, 60_000);

  it('fence one that was stopped for longer than its lease', async () => {
    const accountId = await openAccount('20', 'b');
    const before = Array.from({ length: 5 }, () => crypto.randomUUID());
    for (const id of before)
      expect(await surely(accountId, id)).toMatchObject({ status: 'accepted' });
    const pid = cluster.instances.get('b')?.pid ?? NaN;
    process.kill(pid, 'SIGSTOP');
    // These reach the stopped one or wait for its lease to run out: the same ids are asked again and again.
    const during = Array.from({ length: 30 }, () => crypto.randomUUID());
    const answers = during.map((id) => surely(accountId, id));
    await cluster.settled('a', 'c');
    const first = await Promise.race(answers);
    process.kill(pid, 'SIGCONT');
    expect(first.status).toBeDefined();
    const replies = await Promise.all(answers);
    expect(replies.filter((reply) => reply.status === 'accepted')).toHaveLength(15);
    expect(replies.filter((reply) => reply.reason === 'insufficient-credits')).toHaveLength(15);
    expect(takenOf(await cluster.eventsOf(accountId))).toBe(20);
    // Whoever was told yes is told yes again, by whichever instance.
    for (const [place, id] of during.entries()) {
      if (replies[place]?.status === 'accepted') {
        expect(await surely(accountId, id)).toMatchObject({ status: 'accepted' });
      }
    }
    await cluster.settled(...names);
  }, 60_000);

  it('take over from one that is killed, within its lease and a little', async () => {
    const accountId = await openAccount('5', 'c');
    process.kill(cluster.instances.get('c')?.pid ?? NaN, 'SIGKILL');
    const killedAt = performance.now();
    expect(await surely(accountId, crypto.randomUUID())).toMatchObject({ status: 'accepted' });
    const backMs = performance.now() - killedAt;
    await cluster.settled('a', 'b');
    console.log(`killed owner: its account is served again after ${backMs.toFixed(0)} ms`);

    const restartedAt = performance.now();
    process.kill(cluster.instances.get('b')?.pid ?? NaN, 'SIGKILL');
    await cluster.start('b');
    const own = await openAccount('5', 'b');
    expect(await surely(own, crypto.randomUUID())).toMatchObject({ status: 'accepted' });
    console.log(
      `killed and restarted by the same id: served again after ${(performance.now() - restartedAt).toFixed(0)} ms`,
    );
  }, 60_000);
});
