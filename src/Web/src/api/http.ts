import { chosenOrganization } from './organization';
import { ApiProblem, readProblem } from './problem';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const timeoutMs = 30_000;
const attempts = 3;

let unauthorized: () => void = () => undefined;

/** Names what happens when the host says 401: the app shows its sign-in page. */
export function onUnauthorized(handler: () => void): void {
  unauthorized = handler;
}

/** A new idempotency key. Made once per thing a person asks for; every attempt at it carries the same one. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** Kept by the caller when it may ask for the same thing again, for example a form sent twice. */
  readonly idempotencyKey?: string;
  /** True where a 401 is an answer about what was sent, not about who is asking. */
  readonly anonymous?: boolean;
}

/**
 * One call of the API. A call that got no answer, a 503, or whose earlier try still runs, is tried again: reads are harmless, writes name
 * themselves by an idempotency key or set an absolute state. Throws `ApiProblem`.
 */
export async function request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
  const key = method === 'POST' ? (options.idempotencyKey ?? newIdempotencyKey()) : null;
  for (let attempt = 1; ; attempt++) {
    const outcome = await attemptOnce<T>(method, path, options, key);
    if (!(outcome instanceof ApiProblem)) return outcome.value;
    if (outcome.transient && attempt < attempts && !options.signal?.aborted) {
      await pause(outcome.retryAfter ? Math.min(outcome.retryAfter, 5) * 1000 : 250 * 2 ** attempt * Math.random());
      continue;
    }
    if (outcome.status === 401 && !options.anonymous) unauthorized();
    throw outcome;
  }
}

async function attemptOnce<T>(method: Method, path: string, options: RequestOptions, key: string | null): Promise<{ value: T } | ApiProblem> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  if (key) headers['Idempotency-Key'] = key;
  const organization = chosenOrganization();
  if (organization) headers['Coordinator-Organization'] = organization;
  const timeout = AbortSignal.timeout(timeoutMs);
  const init: RequestInit = {
    method,
    headers,
    credentials: 'same-origin',
    signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
  };
  if (options.body !== undefined) init.body = JSON.stringify(options.body);
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    return ApiProblem.unreachable();
  }
  if (!response.ok) return readProblem(response);
  if (response.status === 204) return { value: undefined as T };
  const text = await response.text();
  return { value: (text === '' ? undefined : JSON.parse(text)) as T };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
