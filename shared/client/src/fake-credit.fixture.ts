import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';

export interface Heard {
  readonly subject: string;
  readonly body: unknown;
  readonly commandId: string | undefined;
}

/** Answers by the subject's verb, as the NATS user `credit`; undefined is no answer. */
export type Answers = (verb: string, heard: Heard) => Answer | Promise<Answer>;
type Answer = object | string | undefined;

/** What the client needs of the credit service, at the other end of a real nats-server. */
export class FakeCredit {
  readonly heard: Heard[] = [];
  private answers: Answers = () => undefined;

  private constructor(private readonly nats: NatsConnection) {}

  static async start(url: string): Promise<FakeCredit> {
    const { host, username, password } = new URL(url);
    const nats = await connect({
      servers: host,
      user: username,
      pass: password,
      inboxPrefix: '_INBOX_credit',
    });
    const fake = new FakeCredit(nats);
    for (const subject of ['credit.v1.*.*', 'credit.admin.v1.*.*']) {
      nats.subscribe(subject, {
        callback: (_, message) => {
          const commandId = message.headers?.get('Toll-Command-Id');
          const heard = { subject: message.subject, body: message.json(), commandId };
          fake.heard.push(heard);
          void fake.respond(message, heard);
        },
      });
    }
    await nats.flush();
    return fake;
  }

  /** Forgets what it heard, and answers so from now on. */
  answer(answers: Answers): void {
    this.heard.length = 0;
    this.answers = answers;
  }

  private async respond(message: Msg, heard: Heard): Promise<void> {
    const answer = await this.answers(heard.subject.split('.').at(-2) ?? '', heard);
    if (typeof answer === 'string') message.respond(answer);
    else if (answer) message.respond(JSON.stringify(answer));
  }

  stop(): Promise<void> {
    return this.nats.close();
  }
}
