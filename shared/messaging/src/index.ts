export * from './command-lane.js';
export * from './connect.js';
export * from './nats-transport.js';
export * from './request.js';
export * from './stream.js';
