/**
 * Builds the workflows as one file: `node build-bundle.ts <file>`. A program of its own, because the bundler leaves 90 MiB behind
 * in the process that it ran in.
 */
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { writeFileAtomic } from '../platform/files.ts';

const ENTRY = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));

const ignore = (): void => {};
/** The bundler reports each step; only what it throws matters. */
const QUIET = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

const [codePath = ''] = process.argv.slice(2);
const { code } = await bundleWorkflowCode({ workflowsPath: ENTRY, logger: QUIET });
await writeFileAtomic(codePath, code);
