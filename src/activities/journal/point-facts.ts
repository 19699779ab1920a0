import { LifeboatError } from '../../domain/errors.ts';

/** Facts that stay true for a later point of the same server. */
export function bare<T extends { bytes: number; storedBytes: number; artifacts: unknown }>(
  component: T,
): Omit<T, 'bytes' | 'storedBytes' | 'artifacts'> {
  const { bytes: _bytes, storedBytes: _stored, artifacts: _artifacts, ...facts } = component;
  return facts;
}

/** @throws LifeboatError RESTORE_COMPONENT_MISSING */
export function need<T>(component: T | undefined, backupId: string): T {
  if (component !== undefined) return component;
  throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${backupId} has not the component that is to go on`);
}
