import { isDecimalString, Money } from '@tollkeeper/kernel';
import type { VendorRate } from '@tollkeeper/events';

/** Above it a rate per million tokens is taken for a slip of the decimal point. */
const tokenUsdPerMillionMax = 1000;
/** The same for one unit of what vendors price by the piece. */
const unitUsdMax: Readonly<Record<string, number>> = {
  character: 0.01,
  pixel: 0.00001,
  second: 10,
  image: 10,
  page: 10,
};
/** The same for one unit of anything else: a search, a session, a call. */
const otherUnitUsdMax = 100;
/** More digits than any vendor prints are the noise of a binary fraction. */
export const significantDigitsMax = 12;
/** Vendors ask several times more for output than for input, never a tenth. */
const outputPerInputMin = 0.1;

const isTokens = (rate: VendorRate): boolean => rate.unit === 'token';

const conditionsOf = (rate: VendorRate): string =>
  JSON.stringify([
    rate.serviceTier,
    rate.inputTokensOver,
    rate.window?.from,
    rate.window?.to,
    rate.region,
  ]);

const describe = (rate: VendorRate): string =>
  `${rate.meter} ${rate.rateUsd} USD per ${rate.per} ${rate.unit}`;

const rateFault = (rate: VendorRate): string | undefined => {
  if (!isDecimalString(rate.rateUsd) || !isDecimalString(rate.per)) return 'not decimal text';
  const amount = new Money(rate.rateUsd);
  const per = new Money(rate.per);
  if (amount.isNegative() || per.lte(0)) return 'negative';
  if (amount.precision() > significantDigitsMax) {
    return `noise: more than ${String(significantDigitsMax)} significant digits`;
  }
  const unitUsd = amount.div(per);
  const implausible = isTokens(rate)
    ? unitUsd.times(1_000_000).gt(tokenUsdPerMillionMax)
    : unitUsd.gt(unitUsdMax[rate.unit] ?? otherUnitUsdMax);
  return implausible ? 'implausibly dear' : undefined;
};

/** What a call may use besides what it is priced by. */
const isAddOn = ({ meter }: VendorRate): boolean =>
  /^(?:web_search|file_search|code_interpreter)/.test(meter);

/** True where calls are billed by something else than tokens: a query, a page, a second. */
const billsByThePiece = (rates: readonly VendorRate[]): boolean =>
  rates.some((rate) => !isTokens(rate) && !isAddOn(rate) && /[1-9]/.test(rate.rateUsd));

const pairFault = (rates: readonly VendorRate[]): string | undefined => {
  const input = rates.find((rate) => rate.meter === 'input');
  const output = rates.find((rate) => rate.meter === 'output');
  if (!input || !output) return undefined;
  const inputUsd = new Money(input.rateUsd).div(input.per);
  const outputUsd = new Money(output.rateUsd).div(output.per);
  if (inputUsd.isZero() && outputUsd.isZero()) {
    return billsByThePiece(rates) ? undefined : 'zero for input and output: free or unknown?';
  }
  return outputUsd.lt(inputUsd.times(outputPerInputMin))
    ? `output is cheaper than a tenth of input: ${describe(output)}`
    : undefined;
};

/**
 * Why the rates of a price must not be imported as they are; undefined when they look like a vendor's.
 *
 * Public price tables hold slips of five decimal places and zeros that mean "not known": one of those in
 * the book would empty an account in one call, or give a model away.
 */
export const quarantineReason = (rates: readonly VendorRate[]): string | undefined => {
  if (rates.length === 0) return 'no rates: free or unknown?';
  if (rates.every(({ rateUsd }) => /^[0.]*$/.test(rateUsd))) {
    return 'zero for everything: free or unknown?';
  }
  const groups = new Map<string, VendorRate[]>();
  for (const rate of rates) {
    const fault = rateFault(rate);
    if (fault !== undefined) return `${fault}: ${describe(rate)}`;
    const conditions = conditionsOf(rate);
    const group = groups.get(conditions) ?? [];
    if (group.some(({ meter }) => meter === rate.meter)) return `twice: ${describe(rate)}`;
    groups.set(conditions, [...group, rate]);
  }
  for (const group of groups.values()) {
    const fault = pairFault(group);
    if (fault !== undefined) return fault;
  }
  return undefined;
};

/** How price tables mark a model that costs nothing, in its name: `…:free`, `…-free`, `…/free`. */
export const isFreeByName = (model: string): boolean => /(?:^|[:/_-])free$/i.test(model);

/** The same for a model's price: rates of zero are its price where its name says that it is free. */
export const priceFault = (model: string, rates: readonly VendorRate[]): string | undefined =>
  isFreeByName(model) && rates.every(({ rateUsd }) => rateUsd === '0') && rates.length > 0
    ? undefined
    : quarantineReason(rates);
