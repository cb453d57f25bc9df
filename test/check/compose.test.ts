/** There is no Docker engine in CI, so the compose file is held against its schema and our own rules for it. */
import { existsSync, readFileSync } from 'node:fs';

import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { API_SETTINGS, SETTINGS, type SettingName } from '../../config.ts';

interface Service {
  image: string;
  build?: string;
  command?: string[];
  entrypoint?: string[];
  profiles?: string[];
  init?: boolean;
  privileged?: boolean;
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  restart?: string;
  mem_limit?: string;
  stop_grace_period?: string;
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  networks: string[];
  network_mode?: string;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
}

interface Compose {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
  volumes: Record<string, unknown>;
}

const read = (path: string): string => readFileSync(path, 'utf8');
const text = read('docker-compose.yml');
const compose = parse(text, { merge: true }) as Compose;
const services = Object.entries(compose.services);
const service = (name: string): Service => {
  const found = compose.services[name];
  if (!found) throw new Error(`no service ${name}`);
  return found;
};
const ONE_SHOTS = ['temporal-schema', 'temporal-namespace', 'migrate'];

test('follows the compose specification', () => {
  // The schema of the Compose Specification, Apache-2.0 (see NOTICE). Formats it names are docker's own.
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const schema = JSON.parse(read('test/check/compose-spec.schema.json')) as { $schema?: string };
  // Written without the fragment that ajv knows draft 7 by.
  delete schema.$schema;
  const valid = ajv.compile(schema);
  valid(compose);
  expect(valid.errors).toBeNull();
  expect(valid({ ...compose, services: { a: { image: 'b', comand: 'c' } } })).toBe(false);
});

test('has the services of the shape', () => {
  expect(services.map(([name]) => name)).toEqual([
    'postgres',
    'temporal-schema',
    'temporal',
    'temporal-namespace',
    'temporal-ui',
    'migrate',
    'worker',
    'api',
    'mail',
  ]);
  expect(services.filter(([, one]) => one.profiles).map(([name]) => name)).toEqual(['mail']);
  expect(service('mail').profiles).toEqual(['dev']);
});

describe.each(services)('%s', (_, one) => {
  test('is pinned to a version', () => {
    expect(one.image).toMatch(/:\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
  });

  test('is hardened and bounded', () => {
    expect(one.init).toBe(true);
    expect(one.cap_drop).toEqual(['ALL']);
    expect(one.security_opt).toEqual(['no-new-privileges:true']);
    expect(one.mem_limit).toMatch(/^\d+[mg]$/);
    expect(one.privileged ?? false).toBe(false);
    expect(one.network_mode).toBeUndefined();
    expect(one.volumes?.filter((volume) => volume.includes('docker.sock')) ?? []).toEqual([]);
  });

  test('mounts only what is there, from the project read-only', () => {
    for (const volume of one.volumes ?? []) {
      const [source = '', , mode] = volume.split(':');
      if (source.startsWith('./')) expect([existsSync(source), mode]).toEqual([true, 'ro']);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
  });

  test('waits for others by condition: one-shots completed, the rest healthy', () => {
    for (const [other, { condition }] of Object.entries(one.depends_on ?? {})) {
      expect(condition).toBe(ONE_SHOTS.includes(other) ? 'service_completed_successfully' : 'service_healthy');
      if (condition === 'service_healthy') expect(service(other).healthcheck).toBeDefined();
    }
  });

  test('holds no secret of its own', () => {
    for (const [name, value] of Object.entries(one.environment ?? {})) {
      if (/PASSWORD|PWD|SECRET|_KEY$/.test(name)) expect(value).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
      // A password inside a URL comes from the environment too.
      const password = /:\/\/[^:/@]+:([^@]+)@/.exec(value)?.[1];
      if (password !== undefined) expect(password).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
    }
  });
});

test('restarts what must run and not for ever what runs once', () => {
  for (const [name, one] of services) {
    expect([name, one.restart]).toEqual([name, ONE_SHOTS.includes(name) ? 'on-failure:5' : 'unless-stopped']);
  }
});

test('publishes the API, the UI and the dev mail server alone, on loopback', () => {
  const published = services.filter(([, one]) => one.ports).map(([name]) => name);
  expect(published).toEqual(['temporal-ui', 'api', 'mail']);
  for (const port of services.flatMap(([, one]) => one.ports ?? [])) {
    expect(port).toMatch(/^127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:\d+$/);
  }
});

test('keeps PostgreSQL and Temporal on a network without a way out', () => {
  expect(compose.networks['inside']).toEqual({ internal: true });
  const outside = services.filter(([, one]) => one.networks.includes('outside')).map(([name]) => name);
  expect(outside).toEqual(['temporal-ui', 'worker', 'api', 'mail']);
  expect(services.every(([, one]) => one.networks.includes('inside'))).toBe(true);
});

test('runs our image read-only and only programs that the build makes', () => {
  const ours = services.filter(([, one]) => one.build);
  expect(ours.map(([name, one]) => [name, one.command?.[1]])).toEqual([
    ['migrate', 'dist/scripts/migrate.js'],
    ['worker', 'dist/worker/main.js'],
    ['api', 'dist/api/server.js'],
    ['mail', 'dist/scripts/mail-server/main.js'],
  ]);
  expect(ours.every(([, one]) => one.read_only)).toBe(true);
});

test('Temporal server and tools are of one version, and the UI shows timer summaries (2.49)', () => {
  const tag = (name: string): string => service(name).image.split(':')[1] ?? '';
  expect([tag('temporal-schema'), tag('temporal-namespace')]).toEqual([tag('temporal'), tag('temporal')]);
  expect(tag('temporal')).toMatch(/^1\.3[12]\./);
  const [major = 0, minor = 0] = tag('temporal-ui').split('.').map(Number);
  expect(major === 2 && minor >= 49).toBe(true);
});

test('makes every search attribute that the local stack makes, of the same type', async () => {
  const { relanceSearchAttributes } = await import('../../scripts/stack/search-attributes.ts');
  const made = [...read('docker/temporal/namespace.sh').matchAll(/^attribute (\w+) (\w+)$/gm)].map(([, name, type]) => [
    name,
    type,
  ]);
  expect(Object.fromEntries(made)).toEqual(relanceSearchAttributes);
});

test('.env.example names every variable that must be set, and no value', () => {
  const example = read('.env.example');
  const required = new Set([...text.matchAll(/\$\{([A-Z_]+):\?/g)].map(([, name]) => name));
  for (const name of required) expect(example).toMatch(new RegExp(`^${name}=$`, 'm'));
  const optional = new Set([...text.matchAll(/\$\{([A-Z_]+):-/g)].map(([, name]) => name));
  expect(
    [...optional].filter((name) => !name?.endsWith('LOG_LEVEL')).filter((name) => !example.includes(`${name}=`)),
  ).toEqual([]);
});

describe('settings', () => {
  const given = (name: string): string[] => Object.keys(service(name).environment ?? {});
  const required = (names: readonly SettingName[]): string[] =>
    names.filter((name) => !SETTINGS[name].safeParse(undefined).success);

  test.each(['migrate', 'worker', 'api'])('%s is given only what the schema knows', (name) => {
    expect(given(name).filter((one) => !(one in SETTINGS))).toEqual([]);
  });

  test('the API is given all it must have, and nothing it does not read', () => {
    expect(given('api')).toEqual(expect.arrayContaining(required(API_SETTINGS)));
    expect(given('api').filter((one) => !API_SETTINGS.some((setting) => setting === one))).toEqual([]);
  });

  test('the mail server is given only what it reads', () => {
    const known = read('scripts/mail-server/main.ts');
    expect(given('mail').filter((one) => !new RegExp(`\\b${one}\\b`).test(known))).toEqual([]);
  });

  test('values that stand in the compose file are valid', () => {
    for (const [name, value] of Object.entries({ ...service('api').environment, ...service('worker').environment })) {
      if (value.includes('${') && !value.includes(':-')) continue;
      const text = value.replace(/\$\{[A-Z_]+:-([^}]*)\}/g, '$1');
      expect([name, SETTINGS[name as SettingName].safeParse(text).success]).toEqual([name, true]);
    }
  });
});

describe('the image', () => {
  const dockerfile = read('Dockerfile');

  test('is pinned, slim and of a supported Node', () => {
    expect(dockerfile).toMatch(/^ARG NODE_IMAGE=node:2[24]\.\d+\.\d+-bookworm-slim$/m);
    expect(dockerfile.match(/^FROM .+$/gm)).toEqual([
      'FROM ${NODE_IMAGE} AS build',
      'FROM ${NODE_IMAGE} AS dependencies',
      'FROM ${NODE_IMAGE}',
    ]);
  });

  test('runs as an ordinary user, with production dependencies only', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    expect(last).toMatch(/^USER node$/m);
    expect(last).toContain('COPY --from=dependencies /build/node_modules ./node_modules');
    expect(dockerfile).toContain('npm ci --omit=dev');
    expect(dockerfile).not.toMatch(/^HEALTHCHECK/m);
  });

  test('is built from a list of what it needs', () => {
    const lines = read('.dockerignore').split('\n');
    expect(lines).toContain('*');
    for (const need of [
      '!templates',
      '!workflows',
      '!package-lock.json',
      '!tsconfig.build.json',
      '!LICENSE',
      '!NOTICE',
    ]) {
      expect(lines).toContain(need);
    }
  });
});
