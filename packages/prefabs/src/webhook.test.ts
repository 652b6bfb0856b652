import { createHmac } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { prefabWebhook } from './index.ts';

const secret = 'a secret of some length';
const body = new TextEncoder().encode('{"ref":"refs/heads/main"}');
const signed = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

test.each([
  ['a GitHub push', 'POST', { 'x-hub-signature-256': signed }, 202],
  ['a GitLab push', 'POST', { 'x-gitlab-token': secret }, 202],
  ['nothing signed', 'POST', {}, 401],
  ['a wrong signature', 'POST', { 'x-hub-signature-256': `${signed.slice(0, -1)}x` }, 401],
  ['a header given twice', 'POST', { 'x-gitlab-token': [secret, secret] }, 401],
  ['a look', 'GET', { 'x-gitlab-token': secret }, 405],
])(
  '%s by %s with %j is answered, and only what is right is followed',
  (_, method, headers, status) => {
    const poke = vi.fn();
    expect(prefabWebhook({ secret, poke })({ method, headers, body }).status).toBe(status);
    expect(poke).toHaveBeenCalledTimes(status === 202 ? 1 : 0);
  },
);

test('a secret that can be tried out is refused', () => {
  expect(() => prefabWebhook({ secret: 'short', poke: () => undefined })).toThrow(RangeError);
});
