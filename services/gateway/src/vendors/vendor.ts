import { Pool } from 'undici';
import { UpstreamCall, type UpstreamEnd, type UpstreamListener } from './upstream-call.js';
import type { VendorConfig } from './vendors.config.js';

export interface VendorOptions {
  readonly callTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly connectionsMax?: number;
}

/** One vendor's address, key and connections. */
export class Vendor {
  private readonly pool: Pool;
  private readonly path: string;
  private readonly headers: readonly string[];
  private readonly calls = new Set<UpstreamCall>();
  private readonly sweep: NodeJS.Timeout;

  constructor(
    readonly config: VendorConfig,
    private readonly options: VendorOptions,
  ) {
    const base = new URL(config.baseUrl);
    this.pool = new Pool(base.origin, {
      connections: options.connectionsMax ?? 2_048,
      pipelining: 1,
      connect: { timeout: options.connectTimeoutMs },
      headersTimeout: options.callTimeoutMs,
      bodyTimeout: options.callTimeoutMs,
    });
    const query = config.query === undefined ? '' : `?${config.query}`;
    this.path = `${base.pathname.replace(/\/+$/, '')}/chat/completions${query}`;
    const { apiKey, keyHeader } = config;
    this.headers = [
      'content-type',
      'application/json',
      'user-agent',
      'tollkeeper',
      ...(apiKey === undefined
        ? []
        : [keyHeader, keyHeader === 'authorization' ? `Bearer ${apiKey}` : apiKey]),
    ];
    // One timer for all calls instead of one each.
    this.sweep = setInterval(() => this.expire(), Math.min(1_000, options.callTimeoutMs / 4));
    this.sweep.unref();
  }

  get name(): string {
    return this.config.name;
  }

  serves(provider: string): boolean {
    return this.config.providers.includes(provider) || this.config.providers.includes('*');
  }

  /** Never rejects: how the call ended is its value. */
  send(body: string, clientRequestId: string, listener: UpstreamListener): Promise<UpstreamEnd> {
    return new Promise((resolve) => {
      const call = new UpstreamCall(listener, (end) => {
        this.calls.delete(call);
        resolve(end);
      });
      this.calls.add(call);
      this.pool.dispatch(
        {
          path: this.path,
          method: 'POST',
          headers: [...this.headers, 'x-client-request-id', clientRequestId],
          body,
        },
        call,
      );
    });
  }

  async close(): Promise<void> {
    clearInterval(this.sweep);
    await this.pool.destroy();
  }

  /** Calls are kept in the order that they began in. */
  private expire(): void {
    const begunBefore = Date.now() - this.options.callTimeoutMs;
    for (const call of this.calls) {
      if (call.startedAtMs > begunBefore) return;
      call.abort('the call took longer than it may', true);
    }
  }
}
