/** What scopes allow, in words for the consent page. */
export const SCOPE_DESCRIPTIONS: Readonly<Record<string, string>> = {
  openid: 'See who you are',
  offline_access: 'Stay connected while you are away',
  'notes:read': 'Read your notes',
  'notes:write': 'Add notes',
  'notes:admin': 'Delete your notes',
};
