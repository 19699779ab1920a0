import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { knownVariables } from '../../src/config/from-environment.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { COMMANDS } from '../../src/cli/registry.ts';

/**
 * Goal: docker-compose.yml is a valid Compose file and fits the program it starts.
 * Method: the Compose Specification's own schema, then what a schema cannot know. No Docker is needed.
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly ports?: readonly string[];
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly profiles?: readonly string[];
}
interface Stack {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const stack: Stack = parse(read('docker-compose.yml'), { merge: true });
const services = Object.entries(stack.services);

/** The schema names itself with `id`, as drafts before 6 did; ajv knows `$id` only. Each `id` here is a place, not a property. */
function withoutIds(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutIds);
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).filter(
    ([key, value]) => !(key === '$schema' || (key === 'id' && typeof value === 'string')),
  );
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutIds(value)]));
}

const schema: object = JSON.parse(JSON.stringify(withoutIds(JSON.parse(read('test/support/compose-spec.json')))));
const ajv = new Ajv({
  strict: false,
  allErrors: true,
  formats: { ports: true, expose: true, duration: true, subnet_ip_address: true },
});
const isValid = ajv.compile(schema);

test('the file follows the Compose Specification', () => {
  isValid(stack);
  expect(isValid.errors ?? []).toEqual([]);
});

test('the schema refuses what is not Compose', () => {
  expect(isValid({ services: { a: { imagine: 'x' } } })).toBe(false);
  expect(isValid({ services: { a: { image: 'x', depends_on: { b: { condition: 'soon' } } } } })).toBe(false);
});

test('images are pinned, and none is the deprecated auto-setup', () => {
  const images = services.map(([, { image }]) => image ?? '');
  for (const image of images) expect(image).toMatch(/^[a-z0-9./-]+:v?\d+\.\d+[\w.-]*$/);
  expect(images.join()).not.toMatch(/auto-setup|latest/);
});

test('dependencies, volumes and secrets exist, and all of them are used', () => {
  const used = { volumes: new Set<string>(), secrets: new Set<string>() };
  for (const [, service] of services) {
    for (const name of Object.keys(service.depends_on ?? {})) expect(Object.keys(stack.services)).toContain(name);
    for (const name of service.secrets ?? []) used.secrets.add(name);
    for (const volume of service.volumes ?? []) {
      const source = volume.split(':')[0] ?? '';
      if (!source.startsWith('./')) used.volumes.add(source);
      expect([source, !source.startsWith('./') || existsSync(join(ROOT, source))]).toEqual([source, true]);
    }
  }
  expect([...used.volumes].toSorted()).toEqual(Object.keys(stack.volumes).toSorted());
  expect([...used.secrets].toSorted()).toEqual(Object.keys(stack.secrets).toSorted());
});

test('what others wait for can be waited for', () => {
  for (const [name, service] of services) {
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      const healthy = stack.services[other]?.healthcheck !== undefined;
      expect([name, other, condition === 'service_healthy' ? healthy : true]).toEqual([name, other, true]);
    }
  }
});

test('every port is published on this machine only', () => {
  for (const [, { ports }] of services) for (const port of ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
});

test('no password stands in the file', () => {
  const words = services.flatMap(([, { environment }]) =>
    Object.entries(environment ?? {}).filter(([name]) => /PASS|PWD|SECRET|TOKEN/.test(name)),
  );
  expect(words.length).toBeGreaterThan(5);
  for (const [name, value] of words)
    expect([name, value]).toEqual([expect.stringMatching(/_FILE$/), expect.stringMatching(/^\/run\/secrets\//)]);
});

test('make-secrets.sh makes every secret and environment file', () => {
  const script = read('config/compose/make-secrets.sh');
  for (const { file } of Object.values(stack.secrets)) expect(script).toContain(file.split('/').at(-1));
  for (const [, { env_file }] of services)
    for (const file of env_file ?? []) expect(script).toContain(file.split('/').at(-1));
  expect(read('.gitignore').split('\n')).toContain('.lifeboat/');
});

describe('Lifeboat in it', () => {
  const own = services.filter(([, { build }]) => build !== undefined);

  test('two workers and the command line run', () => {
    const workers = own.filter(([, { command }]) => command?.[0] === 'worker');
    expect(workers).toHaveLength(2);
    expect(COMMANDS.map(({ name }) => name)).toEqual(expect.arrayContaining(['worker', 'status', 'key generate']));
  });

  test('its variables are known, and the configuration they make is valid', () => {
    for (const [, { environment }] of own) {
      for (const name of Object.keys(environment ?? {})) expect(knownVariables()).toContain(name);
      const files = Object.entries(environment ?? {}).map(([name, value]) => [
        name,
        name.endsWith('_FILE') ? join(ROOT, 'package.json') : value,
      ]);
      const env: Record<string, string> = Object.fromEntries(files);
      const { config } = loadConfig({ env, cwd: '/app' });
      expect(config.storage.localPath).toBe('/var/lib/lifeboat/backups');
      expect(config.encryption.enabled).toBe(true);
    }
  });

  test('the image has what the workers need', () => {
    const dockerfile = read('Dockerfile');
    expect(dockerfile).toMatch(/^FROM node:24-bookworm-slim$/m);
    expect(dockerfile).toContain('postgresql-client-18');
    expect(dockerfile).toMatch(/^USER node$/m);
    for (const [, copied] of dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)) {
      for (const path of (copied ?? '').split(' ')) {
        expect(existsSync(join(ROOT, path))).toBe(true);
        expect(read('.dockerignore').split('\n')).toContain(`!${path.replace(/^\.\//, '')}`);
      }
    }
  });
});

test('the scripts that containers run are there', () => {
  const scripts = services.flatMap(([, { entrypoint }]) =>
    (entrypoint ?? []).filter((word) => word.startsWith('/compose/')),
  );
  expect(scripts.length).toBeGreaterThan(3);
  for (const script of scripts) expect(statSync(join(ROOT, 'config', script)).isFile()).toBe(true);
});
