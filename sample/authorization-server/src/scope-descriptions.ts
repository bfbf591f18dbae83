/** What scopes allow, in words for the consent page. */
export const SCOPE_DESCRIPTIONS: Readonly<Record<string, string>> = {
  openid: 'See who you are',
  offline_access: 'Stay connected while you are away',
  'notes:read': 'Read your notes',
  'notes:write': 'Add notes',
  'notes:admin': 'Delete your notes',
  'create:todos': 'Add to your list of things to do',
  'read:todos': 'Read the lists of things to do of everybody',
  'delete:todos': 'Delete what others have on their lists',
  'identity:read': 'See who you are',
  'orders:read': 'Read your orders',
  'orders:cancel': 'Cancel your orders',
  'shop:use': 'Use the shop in your name',
};
