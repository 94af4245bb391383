/** Injection token of the price book's replica, which is an interface. */
export const priceBookReplica = Symbol('PriceBookReplica');
/** Injection token of the service's logger, likewise. */
export const creditLogger = Symbol('Logger');
