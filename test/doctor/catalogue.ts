import { AUTHORIZATION_SERVER_FINDINGS } from '../../lib/doctor/checks/authorization-server.findings.js';
import { BROWSER_FINDINGS } from '../../lib/doctor/checks/browsers.js';
import { CALL_FINDINGS } from '../../lib/doctor/checks/calls.js';
import { CHALLENGE_FINDINGS } from '../../lib/doctor/checks/challenge.findings.js';
import { KEY_SET_FINDINGS } from '../../lib/doctor/checks/key-set.js';
import { REACH_FINDINGS } from '../../lib/doctor/checks/reach.js';
import { REQUEST_FINDINGS } from '../../lib/doctor/checks/requests.js';
import { RESOURCE_DOCUMENT_FINDINGS } from '../../lib/doctor/checks/resource-document.findings.js';
import { TOKEN_FINDINGS } from '../../lib/doctor/checks/token.findings.js';
import type { Catalogue } from '../../lib/doctor/finding.js';
import { LOGIN_FINDINGS } from '../../lib/doctor/login/login-check.js';

/** All findings that say what to change, by the title of their check. docs/reference/doctor.md lists them. */
export const CATALOGUE: Readonly<Record<string, Catalogue>> = {
  Reach: REACH_FINDINGS,
  Challenge: CHALLENGE_FINDINGS,
  'Metadata of the resource': RESOURCE_DOCUMENT_FINDINGS,
  'Authorization servers': { ...AUTHORIZATION_SERVER_FINDINGS, ...KEY_SET_FINDINGS },
  Browsers: BROWSER_FINDINGS,
  'Requests without a good token': REQUEST_FINDINGS,
  Token: TOKEN_FINDINGS,
  'Calls with the token': CALL_FINDINGS,
  'Sign-in': LOGIN_FINDINGS,
};
