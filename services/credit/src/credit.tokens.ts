/** Injection token of the price book's replica, which is an interface. */
export const priceBookReplica = Symbol('PriceBookReplica');
