import { parseArgs } from 'node:util';
import { benchColdLoad } from './cold-load.bench.js';
import { benchGateway } from './gateway.bench.js';
import { benchGrowth } from './growth.bench.js';
import { benchLedger } from './ledger.bench.js';
import { benchOverload } from './overload.bench.js';
import { benchRefusals } from './refusals.bench.js';

const usage = `npm run bench -- ledger  [--store postgres|kurrentdb] [--seconds 5] [--accounts 10000] [--callers 1,64,500] [--instances 1] [--long-events 50000] [--profile credit]
npm run bench -- growth  [--seconds 3] [--accounts 1000]
npm run bench -- overload [--seconds 5] [--accounts 1000] [--instances 1]
npm run bench -- refusals [--seconds 5] [--accounts 1000] [--callers 1,64,500]
npm run bench -- gateway [--store postgres|kurrentdb] [--seconds 10] [--accounts 1000] [--clients 200] [--rate 200] [--profile gateway,credit]
npm run bench -- cold-load [--events 1000000] [--tail 128] [--open 100]`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    store: { type: 'string', default: 'postgres' },
    seconds: { type: 'string' },
    accounts: { type: 'string' },
    callers: { type: 'string', default: '1,64,500' },
    instances: { type: 'string', default: '1' },
    clients: { type: 'string', default: '200' },
    rate: { type: 'string', default: '200' },
    profile: { type: 'string', default: '' },
    events: { type: 'string', default: '1000000' },
    tail: { type: 'string', default: '128' },
    open: { type: 'string', default: '100' },
    'long-events': { type: 'string', default: '50000' },
  },
});
const store = values.store === 'kurrentdb' ? 'kurrentdb' : 'postgres';
const profiled = values.profile.split(',').filter((name) => name !== '');

switch (positionals[0]) {
  case 'ledger':
    await benchLedger({
      store,
      seconds: Number(values.seconds ?? 5),
      accounts: Number(values.accounts ?? 10_000),
      callers: values.callers.split(',').map(Number),
      profile: profiled.includes('credit'),
      instances: Number(values.instances),
      longEvents: Number(values['long-events']),
    });
    break;
  case 'growth':
    await benchGrowth({
      seconds: Number(values.seconds ?? 3),
      accounts: Number(values.accounts ?? 1_000),
    });
    break;
  case 'overload':
    await benchOverload({
      seconds: Number(values.seconds ?? 5),
      accounts: Number(values.accounts ?? 1_000),
      instances: Number(values.instances),
    });
    break;
  case 'refusals':
    await benchRefusals({
      seconds: Number(values.seconds ?? 5),
      accounts: Number(values.accounts ?? 1_000),
      callers: values.callers.split(',').map(Number),
    });
    break;
  case 'gateway':
    await benchGateway({
      store,
      seconds: Number(values.seconds ?? 10),
      clients: Number(values.clients),
      accounts: Number(values.accounts ?? 1_000),
      ratePerSecond: Number(values.rate),
      profiled,
    });
    break;
  case 'cold-load':
    await benchColdLoad([values.events, values.tail, values.open]);
    break;
  default:
    console.error(usage);
    process.exitCode = 1;
}
