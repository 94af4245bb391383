/** A connection string of KurrentDB, taken apart as the client does it. */
export interface KurrentdbUrl {
  /** Scheme, login and hosts: all before the settings. */
  readonly address: string;
  /** `user:password`, decoded. */
  readonly login: string | undefined;
  /** With their ports. */
  readonly hosts: readonly string[];
  /** By their names in lower case, still percent-encoded. */
  readonly settings: ReadonlyMap<string, string>;
}

/** `kurrentdb://user:password@a:2113,b:2113?tls=false` names two hosts. The password may hold anything but `@`. */
const shape = /^(\s*[a-z+]+:\/\/(?:([^:]+:[^@]+)@)?([^/?]+))\/*(?:\?(.*))?$/i;

/** @throws Error which shows nothing of the connection string, since that holds a password */
export const readKurrentdbUrl = (url: string): KurrentdbUrl => {
  const [, address, login, hosts, settings = ''] = shape.exec(url.trim()) ?? [];
  if (address === undefined || hosts === undefined) {
    throw new Error('the connection string of KurrentDB has no scheme or no host');
  }
  return {
    address,
    login: login === undefined ? undefined : login.split(':').map(decoded).join(':'),
    hosts: hosts.split(',').map((host) => (/:\d+$/.test(host) ? host : `${host}:2113`)),
    settings: new Map(
      settings
        .split('&')
        .filter((setting) => setting !== '')
        .map((setting) => {
          const [name = '', ...value] = setting.split('=');
          return [flat(name), value.join('=')];
        }),
    ),
  };
};

/** As the client compares names. */
const flat = (name: string): string => name.trim().toLowerCase().replace(/[_-]/g, '');

/** What the client knows, by their names in lower case; it shows whoever gives another one the whole connection string. */
const clientSettings = new Set([
  'connectionname',
  'defaultdeadline',
  'discoveryinterval',
  'gossiptimeout',
  'keepaliveinterval',
  'keepalivetimeout',
  'maxdiscoverattempts',
  'nodepreference',
  'throwonappendfailure',
  'tls',
  'tlscafile',
  'tlsverifycert',
  'usercertfile',
  'userkeyfile',
]);

/** The connection string for the client, without what it does not know, and what that is. */
export const forClient = (
  { address, settings }: KurrentdbUrl,
  connectionName: string,
): { readonly url: string; readonly unknown: readonly string[] } => {
  const all = new Map([['connectionname', encodeURIComponent(connectionName)], ...settings]);
  const known = [...all].filter(([name]) => clientSettings.has(name));
  const unknown = [...all.keys()].filter((name) => !clientSettings.has(name));
  return { url: `${address}?${known.map((setting) => setting.join('=')).join('&')}`, unknown };
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('the login in the connection string of KurrentDB is not percent-encoded');
  }
};
