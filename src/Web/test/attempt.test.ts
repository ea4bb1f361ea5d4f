import { describe, expect, test } from 'vitest';
import { Attempt } from '../src/api/attempt';
import { ApiProblem } from '../src/api/problem';

const body = { name: 'Acme' };

describe('the idempotency key of a form', () => {
  test.each([
    ['no answer', ApiProblem.unreachable()],
    ['a failure of the host', new ApiProblem(503, 'unavailable', '')],
    ['too many calls', new ApiProblem(429, 'too_many', '')],
    ['a first try that still runs', new ApiProblem(409, 'request_in_progress', '')],
  ])('stays the same after %s, so that the retry makes nothing twice', (_, problem) => {
    const attempt = new Attempt();
    const first = attempt.keyFor(body);
    attempt.failed(problem);
    expect(attempt.keyFor(body)).toBe(first);
  });

  test.each([
    ['a refusal', new ApiProblem(409, 'too_many_organizations', '')],
    ['a secret that was shown once and not seen', new ApiProblem(409, 'answer_not_repeatable', '')],
  ])('is another after %s, whose answer would only be repeated', (_, problem) => {
    const attempt = new Attempt();
    const first = attempt.keyFor(body);
    attempt.failed(problem);
    expect(attempt.keyFor(body)).not.toBe(first);
  });

  test('is another after a success and for a changed form', () => {
    const attempt = new Attempt();
    const first = attempt.keyFor(body);
    const changed = attempt.keyFor({ name: 'Acme Ltd' });
    attempt.succeeded();
    expect(new Set([first, changed, attempt.keyFor({ name: 'Acme Ltd' })]).size).toBe(3);
  });
});
