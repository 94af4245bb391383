import { tollProgram } from './program.js';

await tollProgram(process.argv).parseAsync();
// A connection that never came about would keep trying, and this process alive with it.
process.exit();
