import { it } from 'vitest';
import type { RequirementId } from './requirements.js';

/**
 * A test that proves requirements: its title begins with their ids, and the gate in requirements.spec.ts
 * knows by them that the requirements are tested.
 */
export function verifies(
  ids: RequirementId | readonly [RequirementId, ...RequirementId[]],
  title: string,
  body: () => void | Promise<void>,
): void {
  it(`[${[ids].flat().join(' ')}] ${title}`, body);
}
