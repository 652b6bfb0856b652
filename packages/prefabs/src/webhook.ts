/**
 * What a git host calls after a push. It believes nothing that the call says but who sent it: the
 * repository itself is looked at then. A plain function, for any HTTP server.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export type WebhookRequest = {
  readonly method: string;
  /** Names in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** As it was received: the signature is over these bytes. */
  readonly body: Uint8Array;
};

export type WebhookReply = { readonly status: number; readonly message: string };

export type WebhookOptions = {
  /** Shared with the git host. At least 16 characters. */
  readonly secret: string;
  /** `PrefabFollower.poke`. */
  readonly poke: () => void;
};

/** Shorter ones can be tried out. */
export const SECRET_CHARACTERS_MIN = 16;

/**
 * Takes what GitHub, Gitea and Forgejo sign (`X-Hub-Signature-256`), and GitLab's `X-Gitlab-Token`:
 * 202 and a look at the repository, or 401, or 405. Throws for a secret that is too short.
 */
export function prefabWebhook({
  secret,
  poke,
}: WebhookOptions): (request: WebhookRequest) => WebhookReply {
  if (secret.length < SECRET_CHARACTERS_MIN) {
    throw new RangeError(
      `the secret of a webhook has at least ${SECRET_CHARACTERS_MIN} characters`,
    );
  }
  return ({ method, headers, body }) => {
    if (method !== 'POST') return { status: 405, message: 'use POST' };
    const digest = createHmac('sha256', secret).update(body).digest('hex');
    const isSigned = isEqual(headers['x-hub-signature-256'], `sha256=${digest}`);
    if (!isSigned && !isEqual(headers['x-gitlab-token'], secret)) {
      return { status: 401, message: 'neither X-Hub-Signature-256 nor X-Gitlab-Token is right' };
    }
    poke();
    return { status: 202, message: 'the repository is looked at' };
  };
}

/** In a time that does not depend on where they differ. */
function isEqual(given: string | readonly string[] | undefined, wanted: string): boolean {
  if (typeof given !== 'string') return false;
  const [a, b] = [given, wanted].map((text) =>
    createHmac('sha256', 'length').update(text).digest(),
  );
  return timingSafeEqual(a as Buffer, b as Buffer);
}
