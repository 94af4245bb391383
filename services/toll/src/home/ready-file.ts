import { readJson } from './json-file.js';

/** Written when everything is ready, for scripts and for the other toll commands; removed on stop. */
export interface Ready {
  readonly gatewayUrl: string;
  readonly apiKey: string;
  readonly accountId: string;
  readonly userId: string;
  /** Of the user `operator`, credentials included. */
  readonly natsUrl: string;
  readonly natsUser: string;
  readonly natsPassword: string;
  readonly databaseUrl: string;
  readonly kurrentdbUrl?: string;
  readonly simulatorUrl: string;
  readonly pids: Readonly<Record<string, number>>;
}

/** Only this program writes the file, so its shape is trusted. */
export const readReadyFile = (file: string): Ready | undefined =>
  readJson(file) as Ready | undefined;
