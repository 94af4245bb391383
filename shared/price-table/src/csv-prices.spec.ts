import { describe, expect, it } from 'vitest';
import { csvPrices } from './csv-prices.js';

const source = { name: 'csv', version: 'spec' };
const read = (...lines: string[]) => csvPrices({ text: lines.join('\r\n'), source });

describe('a CSV price list', () => {
  it('has one rate a row, and one price for each provider, model and date', () => {
    const { prices } = read(
      'provider,model,meter,rate,service_tier,input_tokens_over,window_from,window_to,region,effective_from,aliases,notes',
      'acme,m,input,2.5,,,,,,2026-12-01,m-1|m-latest,"by mail, ""final"""',
      'acme,m,output,10,,,,,,2026-12-01,,',
      'acme,m,input,1.25,batch,,,,,2026-12-01,,',
      'acme,m,input,5,,200000,16:30,00:30,eu,2026-12-01,,',
      '',
      'acme,m,input,3,,,,,,2027-01-01T00:00:00Z,,',
    );
    expect(prices).toEqual([
      {
        provider: 'acme',
        model: 'm',
        aliases: ['m-1', 'm-latest'],
        effectiveFrom: '2026-12-01T00:00:00.000Z',
        rates: [
          { meter: 'input', unit: 'token', per: '1000000', rate: '2.5' },
          { meter: 'output', unit: 'token', per: '1000000', rate: '10' },
          { meter: 'input', unit: 'token', per: '1000000', rate: '1.25', serviceTier: 'batch' },
          {
            meter: 'input',
            unit: 'token',
            per: '1000000',
            rate: '5',
            inputTokensOver: 200_000,
            window: { from: '16:30', to: '00:30' },
            region: 'eu',
          },
        ],
        source,
        notes: 'by mail, "final"',
      },
      expect.objectContaining({ effectiveFrom: '2027-01-01T00:00:00Z' }),
    ]);
  });

  it('takes units, another currency and limits', () => {
    const { prices } = read(
      '\uFEFFRate,Meter,Model,Provider,unit,per,currency,usd_per_unit,exchange_as_of,context_tokens_max',
      '0.002,page,ocr,acme,page,1,EUR,1.1,2026-11-20,1000',
    );
    expect(prices).toEqual([
      {
        provider: 'acme',
        model: 'ocr',
        rates: [{ meter: 'page', unit: 'page', per: '1', rate: '0.002' }],
        currency: 'EUR',
        exchangeRate: { usdPerUnit: '1.1', asOf: '2026-11-20' },
        contextTokensMax: 1000,
        source,
      },
    ]);
  });

  it.each<[string, string[], string]>([
    ['an amount that is none', ['acme,m,input,cheap,,,'], 'line 2: rate is no amount: cheap'],
    ['an empty rate', ['acme,m,input,,,,'], 'line 2: rate is no amount: empty'],
    ['an empty meter', ['acme,m,,1,,,'], 'line 2: meter is empty'],
    [
      'half a window',
      ['acme,m,input,1,,16:30,'],
      'line 2: window_from and window_to stand together',
    ],
    ['a time of day that is none', ['acme,m,input,1,,25:00,26:00'], 'must be HH:MM'],
    ['half a token', ['acme,m,input,1,0.5,,'], 'line 2: input_tokens_over is no whole number: 0.5'],
    ['a negative rate', ['acme,m,input,-1,,,'], 'must not be negative'],
    ['no model', ['acme,,input,1,,,'], 'model'],
    [
      'an amount with a comma, which moves all that follows',
      ['acme,m,input,1,5,,,25'],
      'line 2 has more cells than the header',
    ],
  ])('cannot express %s', (_what, rows, reason) => {
    const header = 'provider,model,meter,rate,input_tokens_over,window_from,window_to';
    const { prices, inexpressible } = read(header, ...rows);
    expect(prices).toEqual([]);
    expect(inexpressible[0]?.reason).toContain(reason);
  });

  it('cannot express rows of one price that contradict each other', () => {
    const { inexpressible } = read(
      'provider,model,meter,rate,currency',
      'acme,m,input,1,EUR',
      'acme,m,output,2,GBP',
    );
    expect(inexpressible[0]?.reason).toContain('currency differs');
  });

  it('quarantines by the same rules as any table', () => {
    const { quarantined } = read(
      'provider,model,meter,rate,per',
      'acme,m,input,0.135,1',
      'acme,zero,input,0,1',
    );
    expect(quarantined.map(({ model }) => model)).toEqual(['m', 'zero']);
  });

  it.each([
    ['no header', '', 'lacks the column provider'],
    ['a header without a rate', 'provider,model,meter', 'lacks the column rate'],
    ['a column of another name', 'provider,model,meter,rate,colour', 'no such column: "colour"'],
    ['a column twice', 'provider,model,meter,rate,rate', 'twice'],
    ['a quote that is not closed', 'provider,model,meter,rate\nacme,"m,input,1', 'not closed'],
  ])('refuses %s', (_what, text, reason) => {
    expect(() => csvPrices({ text, source })).toThrow(reason);
  });
});
