import { isSecret } from '../../domain/secret.ts';
import { defineCommand } from '../command.ts';

/** `config show`: effective values and where each comes from. */
export const configShow = defineCommand({
  name: 'config show',
  summary: 'show the effective configuration, with the origin of every value and secrets masked',
  arguments: {},
  options: {},
  examples: ['config show', 'config show --json | jq .config.retention'],
  answers: ['config', 'origins {key: {kind, name}}', 'file'],
  exits: [],
  async run(context) {
    const { config, origins, file } = await context.config();
    const { flatten } = await import('../../config/layers.ts');
    const rows = [...flatten(config)].map(([key, value]) => [key, show(value), describe(origins[key])]);
    return {
      json: { config, origins, file: file ?? null },
      text: async () => {
        const source =
          file === undefined ? 'no configuration file; values come from the environment and defaults' : `file: ${file}`;
        return `${source}\n\n${await context.output.table(['key', 'value', 'origin'], rows)}`;
      },
    };
  },
});

function show(value: unknown): string {
  return typeof value === 'string' || isSecret(value) ? String(value) : JSON.stringify(value);
}

function describe(origin: { readonly kind: string; readonly name: string } | undefined): string {
  return origin === undefined || origin.kind === 'default' ? 'default' : `${origin.kind} ${origin.name}`;
}
