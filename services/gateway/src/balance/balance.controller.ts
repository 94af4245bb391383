import { Controller, Get, Inject, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { balanceReply, creditSubjects, type BalanceView } from '@tollkeeper/contracts';
import { forbidden, HttpRefusal, unavailable } from '../http/http-refusal.js';
import { ApiKeys } from '../identity/api-keys.js';
import { askToken, type Ask } from '../gateway.tokens.js';

@Controller()
export class BalanceController {
  constructor(
    @Inject(ApiKeys) private readonly keys: ApiKeys,
    @Inject(askToken) private readonly ask: Ask,
  ) {}

  /** Of the key's own account; asked of the account's owner, so it is current. */
  @Get('api/v1/llm/balance')
  async read(
    @Req() request: FastifyRequest,
    @Query('accountId') asked: string | undefined,
  ): Promise<BalanceView> {
    const { accountId } = await this.keys.identify(request.headers.authorization);
    if (asked !== undefined && asked !== accountId) {
      throw forbidden('This API key may not see another account.', 'other_account');
    }
    const reply = await this.reply(accountId);
    if (!('status' in reply)) return reply;
    if (reply.reason === 'unknown-account') {
      throw new HttpRefusal({
        status: 404,
        type: 'invalid_request_error',
        code: 'unknown_account',
        message: 'The account of this API key does not exist.',
      });
    }
    throw unavailable('The balance cannot be told at the moment.', 'not_ready');
  }

  private async reply(accountId: string) {
    try {
      return balanceReply.parse(await this.ask(creditSubjects.balance(accountId)));
    } catch {
      throw unavailable('The ledger did not answer.', 'ledger_timeout');
    }
  }
}
