#!/usr/bin/env node
import { existsSync } from 'node:fs';

const program = new URL('../dist/main.js', import.meta.url);
if (existsSync(program)) {
  await import(program);
} else {
  console.error('error: toll is not built yet: run `npm start`, or `npm ci && npm run build`');
  process.exitCode = 1;
}
