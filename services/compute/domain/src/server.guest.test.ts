import { expect, it } from 'vitest';
import { adminUserOf, hasGuestAgent } from './server.guest.js';

const image = (properties: Record<string, string>) => ({ properties });

it('believes an image that says so', () => {
  for (const word of ['yes', 'True', ' on ', '1'])
    expect(hasGuestAgent(image({ hw_qemu_guest_agent: word }))).toBe(true);
  for (const word of ['no', 'false', '', 'perhaps'])
    expect(hasGuestAgent(image({ hw_qemu_guest_agent: word }))).toBe(false);
  expect([hasGuestAgent(image({})), hasGuestAgent(null)]).toEqual([false, false]);
});

it('knows whose password is meant', () => {
  expect(adminUserOf(image({ os_admin_user: 'debian', os_type: 'windows' }))).toBe('debian');
  expect(adminUserOf(image({ os_type: 'windows' }))).toBe('Administrator');
  expect([adminUserOf(image({})), adminUserOf(null)]).toEqual(['root', 'root']);
});
