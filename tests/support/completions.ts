import { formatMoney, parseMoney } from '@tollkeeper/kernel';
import { request } from 'undici';
import type { Stack } from './stack.js';

export interface CompletionAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: {
    readonly id?: string;
    readonly model?: string;
    readonly usage?: {
      readonly prompt_tokens: number;
      readonly completion_tokens: number;
      readonly charge_credits: string;
      readonly cost_usd: string;
      readonly price_version: string;
      readonly multiplier: string;
      readonly provenance: string;
      readonly charge_status: string;
    };
    readonly error?: Readonly<Record<string, unknown>>;
  };
}

export const chat = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Say hello.' }] };

/** A completion as any HTTP client asks for it. */
export const complete = async (
  stack: Stack,
  apiKey: string,
  body: object = chat,
  headers: Readonly<Record<string, string>> = {},
): Promise<CompletionAnswer> => {
  const answer = await request(`${stack.ready().gatewayUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    headersTimeout: 60_000,
  });
  const parsed = (await answer.body.json()) as CompletionAnswer['body'];
  return { status: answer.statusCode, headers: answer.headers, body: parsed };
};

export interface Balance {
  readonly accountId: string;
  readonly balance: string;
  readonly reserved: string;
  readonly available: string;
  readonly balanceUsd: string;
}

export const balanceOf = async (stack: Stack, apiKey: string): Promise<Balance> => {
  const answer = await request(`${stack.ready().gatewayUrl}/api/v1/llm/balance`, {
    headers: { authorization: `Bearer ${apiKey}` },
  });
  return (await answer.body.json()) as Balance;
};

export const difference = (a: string, b: string): string =>
  formatMoney(parseMoney(a).minus(parseMoney(b)));
