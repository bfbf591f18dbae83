import { expect, it } from 'vitest';
import { openerOf } from './open-browser.js';

it('opens only addresses of the web, as one argument of a program', () => {
  const url = new URL('https://as.example/auth?a=$(x)&b=`y`');
  expect(openerOf(url, 'darwin')).toEqual(['open', url.href]);
  expect(openerOf(url, 'linux')).toEqual(['xdg-open', url.href]);
  expect(openerOf(url, 'win32')).toEqual(['rundll32', 'url.dll,FileProtocolHandler', url.href]);
  expect(openerOf(url, 'aix')).toBe(undefined);
  for (const other of ['file:///etc/passwd', 'vscode://x', 'javascript:alert(1)']) {
    expect(openerOf(new URL(other), 'linux')).toBe(undefined);
  }
});
