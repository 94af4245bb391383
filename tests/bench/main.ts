import { parseArgs } from 'node:util';
import { benchLedger } from './ledger.bench.js';

const usage = `npm run bench -- ledger [--store postgres|kurrentdb] [--seconds 5] [--accounts 10000] [--callers 1,64,500] [--profile]
npm run bench -- gateway [--seconds 10] [--clients 200] [--profile]`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    store: { type: 'string', default: 'postgres' },
    seconds: { type: 'string', default: '5' },
    accounts: { type: 'string', default: '10000' },
    callers: { type: 'string', default: '1,64,500' },
    profile: { type: 'boolean', default: false },
  },
});

switch (positionals[0]) {
  case 'ledger':
    await benchLedger({
      store: values.store === 'kurrentdb' ? 'kurrentdb' : 'postgres',
      seconds: Number(values.seconds),
      accounts: Number(values.accounts),
      callers: values.callers.split(',').map(Number),
      profile: values.profile,
    });
    break;
  default:
    console.error(usage);
    process.exitCode = 1;
}
