import { newIdempotencyKey } from './http';
import type { ApiProblem } from './problem';

/**
 * The idempotency key of what a form asks for. The same form sent again is the same wish and has the same key, for as
 * long as it is not certain what came of it; a changed form is another wish.
 */
export class Attempt {
  private wish: string | null = null;
  private key = '';

  keyFor(body: unknown): string {
    const wish = JSON.stringify(body);
    if (this.wish !== wish) {
      this.wish = wish;
      this.key = newIdempotencyKey();
    }
    return this.key;
  }

  succeeded(): void {
    this.wish = null;
  }

  failed(problem: ApiProblem): void {
    if (isCertain(problem)) this.wish = null;
  }
}

/** The host has said no for good. No answer, a failure of the host and a first try that still runs leave it open. */
function isCertain({ status, code }: ApiProblem): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429 && code !== 'request_in_progress';
}
