import pg from 'pg';

/** Connects, asks `select 1`, leaves. */
export const ping = async (url: string): Promise<void> => {
  await withClient(url, (client) => client.query('select 1'));
};

/** Makes a database unless it is there, and returns its URL. */
export const createDatabase = async (url: string, name: string): Promise<string> => {
  await withClient(url, async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`);
  });
  return databaseUrl(url, name);
};

/** The same server and user, another database. */
export const databaseUrl = (url: string, name: string): string => {
  const changed = new URL(url);
  changed.pathname = `/${encodeURIComponent(name)}`;
  return changed.href;
};

const withClient = async <T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // A server that is being stopped also tells idle connections; the query's own error says it better.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
};
