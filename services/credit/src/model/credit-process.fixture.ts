import { nodeFlags } from '@tollkeeper/lifecycle';
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../dist/model/model-service.fixture.js', import.meta.url));

type Environment = Readonly<Record<string, string | undefined>>;

/** The built credit service as a process of its own, under a clock that stands still until it is set. */
export class CreditProcess {
  private child: ChildProcess | undefined;
  private nowMs = 0;
  private env: Environment = {};

  /** Under these variables from now on. */
  async start(env: Environment, nowMs: number): Promise<void> {
    this.env = env;
    this.nowMs = nowMs;
    this.child = fork(script, {
      env: { ...process.env, LOG_LEVEL: 'fatal', ...env, MODEL_NOW_MS: String(nowMs) },
      execArgv: [...nodeFlags],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    await this.told('ready');
  }

  async setClock(nowMs: number): Promise<void> {
    this.nowMs = nowMs;
    const told = this.told('clock');
    this.child?.send({ nowMs });
    await told;
  }

  /** As a power cut ends it: whatever it held in memory is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exited;
  }

  async startAgain(): Promise<void> {
    await this.start(this.env, this.nowMs);
  }

  private told(what: string): Promise<void> {
    const { child } = this;
    if (!child) throw new Error('the credit service does not run');
    return new Promise((resolve, reject) => {
      const onMessage = (message: unknown): void => {
        if ((message as { readonly type?: string }).type !== what) return;
        child.off('message', onMessage);
        child.off('exit', onExit);
        resolve();
      };
      const onExit = (code: number | null): void => {
        reject(new Error(`the credit service ended with code ${String(code)}`));
      };
      child.on('message', onMessage);
      child.once('exit', onExit);
    });
  }
}
