/** A refusal of the host (RFC 9457): `code` is stable, `detail` tells a person what to do. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** Seconds to wait before trying again, when the host said so. */
  readonly retryAfter: number | null;

  constructor(status: number, code: string, detail: string, retryAfter: number | null = null) {
    super(`${code}: ${detail}`);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.retryAfter = retryAfter;
  }

  /**
   * The host, or what stands before it, is away, starts, or waits for something it needs, or an earlier try of the same
   * request is still being answered: the same request may well succeed in a moment.
   */
  get transient(): boolean {
    return this.code === 'unreachable' || this.code === 'request_in_progress' || this.status === 503 || this.code === 'http_502' || this.code === 'http_504';
  }

  /** No answer at all: the host is down, or the network is. */
  static unreachable(): ApiProblem {
    return new ApiProblem(0, 'unreachable', 'The host did not answer. Check that it is running and that you are online, then try again.');
  }
}

/** Reads the problem of a response that is not a success; a body that is none still gives a useful sentence. */
export async function readProblem(response: Response): Promise<ApiProblem> {
  const retryAfter = Number(response.headers.get('retry-after')) || null;
  const body: unknown = await response.json().catch(() => null);
  const fields = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const code = typeof fields['code'] === 'string' ? fields['code'] : `http_${response.status}`;
  const detail = typeof fields['detail'] === 'string' ? fields['detail'] : `The host answered ${response.status} without saying why. Try again; if it stays so, look at the host's log.`;
  return new ApiProblem(response.status, code, detail, retryAfter);
}

/** Any failure as a problem, so that every place can show one. */
export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  return new ApiProblem(0, 'unexpected', error instanceof Error ? error.message : String(error));
}
