// A small host that speaks docs/protocol.md, for looking at the app without the real one:
//   npm run build && npm run mock        then open http://localhost:8899/sign-in#sl_good
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { MockHost } from './mock/host.mjs';
import { answer } from './mock/routes.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const policy = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'";

async function serveFile(path, response) {
  const wanted = extname(path) ? path : '/index.html';
  const file = join(dist, normalize(wanted));
  const content = file.startsWith(dist) ? await readFile(file).catch(() => null) : null;
  response.writeHead(content ? 200 : 404, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': policy });
  response.end(content ?? 'Not found');
}

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : {};
}

function follow(host, socket, sessionId) {
  const session = host.find(sessionId);
  if (!session) return socket.close(4404);
  const send = (frame) => socket.send(JSON.stringify(frame));
  const commands = {
    subscribe: ({ after }) => {
      send({ type: 'ready', protocol: 1, session: session.view(), cursor: `1.${session.events.length}` });
      const from = after ? Number(after.split('.')[1]) : session.events.length;
      if (from < session.events.length) send({ type: 'events', events: session.events.slice(from) });
      session.followers.add(send);
    },
    prompt: ({ clientId, text, retryOf }) => {
      if (session.archived) return send({ type: 'refused', for: 'prompt', clientId, code: 'session_archived', detail: 'This session is archived.' });
      return send({ type: 'accepted', clientId, ...host.prompt(session, text, { clientId, retryOf }) });
    },
    ping: () => send({ type: 'pong' }),
  };
  socket.on('message', (data) => {
    const frame = JSON.parse(data.toString());
    commands[frame.type]?.(frame);
  });
  socket.on('close', () => session.followers.delete(send));
  return undefined;
}

/** Starts the mock; port 0 takes any. `sockets` lets a test cut every connection. */
export async function startMock({ port = 0, ...options } = {}) {
  const host = new MockHost(options);
  await host.ready;
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://mock');
    if (!url.pathname.startsWith('/v1/')) return serveFile(url.pathname, response);
    const result = answer(host, request.method, decodeURIComponent(url.pathname), await readBody(request), url.searchParams);
    response.writeHead(result.status, { 'Content-Type': result.problem ? 'application/problem+json' : 'application/json' });
    return response.end(result.body === undefined ? undefined : JSON.stringify(result.body));
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'coordinator.v1' });
  let refusing = false;
  server.on('upgrade', (request, socket, head) => {
    if (refusing) return socket.destroy();
    const match = /^\/v1\/sessions\/([^/]+)\/ws$/.exec(new URL(request.url, 'http://mock').pathname);
    return sockets.handleUpgrade(request, socket, head, (webSocket) => {
      if (!host.signedIn) return webSocket.close(4401);
      return follow(host, webSocket, match?.[1]);
    });
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    host,
    url: `http://localhost:${server.address().port}`,
    cut: (code = 1012) => sockets.clients.forEach((socket) => socket.close(code)),
    refuse: (value) => (refusing = value),
    stop: () => {
      sockets.clients.forEach((socket) => socket.terminate());
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mock = await startMock({ port: Number(process.env.PORT ?? 8899) });
  process.stdout.write(`${mock.url}/sign-in#sl_good\n`);
}
