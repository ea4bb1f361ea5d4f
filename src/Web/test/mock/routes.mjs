import { person } from './session.mjs';
import { newId } from './session.mjs';

const organization = { id: 'org_1', name: 'Acme' };

class Refusal extends Error {
  constructor(status, code, detail) {
    super(detail);
    Object.assign(this, { status, code });
  }
}

const refuse = (status, code, detail) => {
  throw new Refusal(status, code, detail);
};

const me = () => ({ principal: person, organization, role: 'owner', organizations: [{ ...organization, role: 'owner' }] });

/** [method, path pattern, handler(host, params, body, query) -> [status, body]] */
const routes = [
  ['POST', '/v1/sign-in', (host, _, body) => {
    if (body.link !== 'sl_good') refuse(401, 'credential_invalid', 'This sign-in link has been used or has expired.');
    host.signedIn = true;
    return [200, { user: person, organization }];
  }],
  ['POST', '/v1/sign-out', (host) => [204, void (host.signedIn = false)]],
  ['GET', '/v1/me', () => [200, me()]],
  ['GET', '/v1/organizations', () => [200, { items: me().organizations }]],
  ['GET', '/v1/providers', (host) => [200, { items: host.providers() }]],
  ['GET', '/v1/models', (host) => [200, { items: host.models() }]],
  ['GET', '/v1/secrets', (host) => [200, { items: [...host.secrets.values()] }]],
  ['PUT', '/v1/secrets/(.+)', (host, [name], body) => {
    if (!body.value) refuse(422, 'secret_empty', 'Give the secret a value.');
    host.secrets.set(name, { name, hint: body.value.slice(-4), updatedAt: new Date().toISOString() });
    return [204];
  }],
  ['DELETE', '/v1/secrets/(.+)', (host, [name]) => [204, void host.secrets.delete(name)]],
  ['GET', '/v1/api-keys', (host) => [200, { items: host.keys }]],
  ['POST', '/v1/api-keys', (host, _, body) => {
    const key = { id: newId('key'), name: body.name, role: body.role ?? 'member', hint: 'b7d0', createdAt: new Date().toISOString(), expiresAt: null };
    host.keys.push(key);
    return [201, { ...key, key: 'ck_mock0000000000000000000000000b7d0' }];
  }],
  ['DELETE', '/v1/api-keys/([^/]+)', (host, [id]) => [204, void (host.keys = host.keys.filter((key) => key.id !== id))]],
  ['GET', '/v1/sessions', (host, _, __, query) => {
    const limit = Number(query.get('limit') ?? 50);
    const from = Number(query.get('cursor') ?? 0);
    const nextCursor = from + limit < host.sessions.length ? String(from + limit) : null;
    return [200, { items: host.sessions.slice(from, from + limit).map((session) => session.view()), nextCursor }];
  }],
  ['POST', '/v1/sessions', (host, _, body) => {
    if (!body.model) refuse(422, 'model_required', 'Name a model as provider/model; there is no default.');
    const provider = host.providers().find((candidate) => candidate.name === body.model.split('/')[0]);
    if (!provider) refuse(422, 'model_provider_unknown', `There is no provider "${body.model.split('/')[0]}".`);
    if (!provider.ready) refuse(422, 'model_key_missing', `Set the secret ${provider.secretName} first.`);
    if (body.repository && !/^https?:\/\//.test(body.repository.url)) refuse(422, 'repository_invalid', 'The repository must be an http or https URL.');
    const session = host.create(body);
    if (body.prompt) host.prompt(session, body.prompt);
    return [201, session.view()];
  }],
  ['GET', '/v1/sessions/([^/]+)', (host, [id]) => [200, found(host, id).view()]],
  ['PATCH', '/v1/sessions/([^/]+)', (host, [id], body) => {
    const session = found(host, id);
    session.title = body.title;
    session.emit('session.renamed', { title: body.title });
    return [200, session.view()];
  }],
  ['POST', '/v1/sessions/([^/]+)/archive', (host, [id]) => {
    host.archive(found(host, id));
    return [200, found(host, id).view()];
  }],
  ['GET', '/v1/sessions/([^/]+)/events', (host, [id], _, query) => {
    const session = found(host, id);
    const [incarnation, seq] = (query.get('after') ?? '1.0').split('.').map(Number);
    if (incarnation !== 1 || seq > session.events.length) refuse(410, 'cursor_invalid', 'Load the session anew.');
    const items = session.events.slice(seq, seq + Number(query.get('limit')));
    const end = seq + items.length;
    return [200, { items, cursor: `1.${end}`, nextCursor: end < session.events.length ? `1.${end}` : null }];
  }],
  ['GET', '/v1/sessions/([^/]+)/artifacts/([^/]+)', () => [200, { note: 'the whole output' }]],
  ['PATCH', '/v1/sessions/([^/]+)/messages/([^/]+)', (host, [id, messageId], body) => {
    const [session, message] = queued(host, id, messageId);
    message.text = body.text;
    session.emit('message.edited', { text: body.text }, messageId);
    return [200, {}];
  }],
  ['POST', '/v1/sessions/([^/]+)/messages/([^/]+)/move', (host, [id, messageId], body) => {
    const [session, message] = queued(host, id, messageId);
    session.messages.splice(session.messages.indexOf(message), 1);
    const place = body.before ? session.messages.findIndex((other) => other.id === body.before) : session.messages.length;
    session.messages.splice(place < 0 ? session.messages.length : place, 0, message);
    session.emit('message.moved', { before: body.before, position: session.queued().indexOf(message) }, messageId);
    return [200, {}];
  }],
  ['POST', '/v1/sessions/([^/]+)/messages/([^/]+)/cancel', (host, [id, messageId]) => {
    const session = found(host, id);
    host.agents.get(id).cancel(session.message(messageId) ?? refuse(404, 'message_not_found', 'There is no such message.'), person);
    return [202, {}];
  }],
  ['POST', '/v1/sessions/([^/]+)/permissions/([^/]+)', (host, [id, permissionId], body) => {
    if (!found(host, id).permissions.has(permissionId)) refuse(409, 'permission_already_answered', 'Somebody has answered this already.');
    host.agents.get(id).answer(permissionId, body.decision, body.note, person);
    return [200, {}];
  }],
].map(([method, pattern, handler]) => ({ method, pattern: new RegExp(`^${pattern}$`), handler }));

function found(host, id) {
  return host.find(id) ?? refuse(404, 'session_not_found', 'There is no such session.');
}

function queued(host, id, messageId) {
  const session = found(host, id);
  const message = session.message(messageId) ?? refuse(404, 'message_not_found', 'There is no such message.');
  if (message.status !== 'queued') refuse(409, 'message_not_queued', 'This message has already begun.');
  return [session, message];
}

/** Answers one API request; problems as RFC 9457. */
export function answer(host, method, path, body, query) {
  try {
    for (const route of routes) {
      const match = route.method === method && route.pattern.exec(path);
      if (!match) continue;
      if (!host.signedIn && path !== '/v1/sign-in') refuse(401, 'credential_required', 'Sign in first.');
      const [status, answerBody] = route.handler(host, match.slice(1), body, query);
      return { status, body: answerBody };
    }
    return refuse(404, 'not_found', 'There is nothing here.');
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { status: error.status, problem: true, body: { type: `https://coordinator.dev/problems/${error.code}`, title: 'Refused', status: error.status, code: error.code, detail: error.message } };
  }
}
