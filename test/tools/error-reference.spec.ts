import { describe, expect, it } from 'vitest';
import {
  DISCOVERY_FAILURE_REFERENCE,
  ERROR_CODE_REFERENCE,
  type ErrorReferenceEntry,
  REJECTION_REFERENCE,
} from './error-reference.js';

// That no code, reason or failure is missing, the compiler sees to.
const ALL: [string, ErrorReferenceEntry][] = [
  ...Object.entries(ERROR_CODE_REFERENCE),
  ...Object.entries(REJECTION_REFERENCE),
  ...Object.entries(DISCOVERY_FAILURE_REFERENCE),
];

describe('the reference of errors', () => {
  it.each(ALL)('says of %s in sentences what it means and what to do', (_, { meaning, fix, statuses }) => {
    for (const text of [meaning, fix]) {
      expect(text).toMatch(/^[A-Z`][^\n]{5,}\.$/);
    }
    expect(statuses.every((status) => status >= 400 && status < 600)).toBe(true);
  });

  it('says each thing once', () => {
    const reasons = Object.values(REJECTION_REFERENCE).map(({ meaning }) => meaning);
    expect(new Set(reasons).size).toBe(reasons.length);
  });
});
