import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { api } from '../src/api/api';
import { chooseOrganization, inOrganization } from '../src/api/organization';
import { askIdentity, forgetIdentity } from '../src/app/identity';

/** A host whose person is in these organizations; without a name for one of them it knows which only while there is one. */
let places: string[];

beforeEach(() => {
  places = ['org_1'];
  chooseOrganization(null);
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    const named = (init.headers as Record<string, string>)['Coordinator-Organization'];
    if (path === '/v1/organizations') return Promise.resolve(Response.json({ items: places.map((id) => ({ id, name: id, role: 'member' })) }));
    if (named === undefined && places.length > 1) return Promise.resolve(refusal(400, 'organization_required'));
    if (named !== undefined && !places.includes(named)) return Promise.resolve(refusal(404, 'organization_not_found'));
    return Promise.resolve(Response.json({ principal: { kind: 'user', id: 'usr_1', displayName: 'Ada' }, organization: { id: named ?? places[0], name: '' }, role: 'member', organizations: [] }));
  });
});

afterEach(() => {
  forgetIdentity();
  vi.unstubAllGlobals();
});

test('A page goes on in the organization it had when its person is taken into a second one', async () => {
  await askIdentity();
  places = ['org_1', 'org_2'];
  expect((await api.me()).organization.id).toBe('org_1');
  expect(inOrganization('/v1/sessions/ses_1/ws')).toBe('/v1/sessions/ses_1/ws?organization=org_1');
});

test('Who is no more in the organization they last chose is taken to their first, and stays there', async () => {
  chooseOrganization('org_9');
  places = ['org_2', 'org_3'];
  await askIdentity();
  expect(inOrganization('/x')).toBe('/x?organization=org_2');
});

test('Who signs out takes no organization along', async () => {
  await askIdentity();
  forgetIdentity();
  expect(inOrganization('/x')).toBe('/x');
});

function refusal(status: number, code: string): Response {
  return new Response(JSON.stringify({ code, detail: 'No.' }), { status });
}
