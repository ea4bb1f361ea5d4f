import { request } from './http';
import { inOrganization } from './organization';
import type {
  ApiKey, EventPage, Me, Membership, Model, NewApiKey, NewSession, Organization, Page, PermissionDecision, Provider, SecretInfo, SessionView,
} from './wire';

const session = (id: string) => `/v1/sessions/${encodeURIComponent(id)}`;
const message = (id: string, messageId: string) => `${session(id)}/messages/${encodeURIComponent(messageId)}`;
const secret = (name: string) => `/v1/secrets/${name.split('/').map(encodeURIComponent).join('/')}`;

/** The calls this app makes, by what they do. Each throws `ApiProblem`. */
export const api = {
  signIn: (link: string) => request<{ organization: Organization }>('POST', '/v1/sign-in', { body: { link }, anonymous: true }),
  signOut: () => request<void>('POST', '/v1/sign-out', { anonymous: true }),
  me: () => request<Me>('GET', '/v1/me', { anonymous: true }),

  organizations: () => request<{ items: readonly Membership[] }>('GET', '/v1/organizations', { anonymous: true }).then((answer) => answer.items),
  createOrganization: (name: string, idempotencyKey: string) => request<Organization>('POST', '/v1/organizations', { body: { name }, idempotencyKey }),

  providers: () => request<{ items: readonly Provider[] }>('GET', '/v1/providers').then((answer) => answer.items),
  models: () => request<{ items: readonly Model[] }>('GET', '/v1/models').then((answer) => answer.items),

  /** The demo's sample repository; null where there is no demo. */
  sampleRepository: () => request<{ repository: string }>('GET', '/demo/sample').then((answer) => answer.repository, () => null),

  sessions: (cursor: string | null, limit = 50) =>
    request<Page<SessionView>>('GET', `/v1/sessions?limit=${limit}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`),
  session: (id: string) => request<SessionView>('GET', session(id)),
  createSession: (body: NewSession, idempotencyKey: string) => request<SessionView>('POST', '/v1/sessions', { body, idempotencyKey }),
  renameSession: (id: string, title: string) => request<SessionView>('PATCH', session(id), { body: { title } }),
  archiveSession: (id: string) => request<SessionView>('POST', `${session(id)}/archive`),
  /** Without a place, from the first event that is kept. */
  events: (id: string, after: string | null, signal: AbortSignal) =>
    request<EventPage>('GET', `${session(id)}/events?limit=1000${after === null ? '' : `&after=${encodeURIComponent(after)}`}`, { signal }),

  editMessage: (id: string, messageId: string, text: string) => request<void>('PATCH', message(id, messageId), { body: { text } }),
  moveMessage: (id: string, messageId: string, before: string | null) =>
    request<void>('POST', `${message(id, messageId)}/move`, { body: { before } }),
  cancelMessage: (id: string, messageId: string) => request<void>('POST', `${message(id, messageId)}/cancel`),
  answerPermission: (id: string, permissionId: string, decision: PermissionDecision, note: string | null) =>
    request<void>('POST', `${session(id)}/permissions/${encodeURIComponent(permissionId)}`, { body: note ? { decision, note } : { decision } }),
  artifactUrl: (id: string, sha256: string) => inOrganization(`${session(id)}/artifacts/${encodeURIComponent(sha256)}`),

  secrets: () => request<{ items: readonly SecretInfo[] }>('GET', '/v1/secrets').then((answer) => answer.items),
  putSecret: (name: string, value: string) => request<void>('PUT', secret(name), { body: { value } }),
  deleteSecret: (name: string) => request<void>('DELETE', secret(name)),

  apiKeys: () => request<{ items: readonly ApiKey[] }>('GET', '/v1/api-keys').then((answer) => answer.items),
  createApiKey: (body: { name: string; role?: string; expiresInDays?: number }, idempotencyKey: string) =>
    request<NewApiKey>('POST', '/v1/api-keys', { body, idempotencyKey }),
  revokeApiKey: (id: string) => request<void>('DELETE', `/v1/api-keys/${encodeURIComponent(id)}`),
};
