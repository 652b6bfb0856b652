/** Requests as a client with bad manners sends them: any method, path, header or body, or half of it. */
import { Agent, request } from 'node:http';

export type Sent = {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
};

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
};

/** What goes on until a job has ended, however long that takes. */
const ENDLESS = 'application/x-ndjson';
/** Longer than anything that the API promises to answer in. */
const ANSWER_MS_MAX = 20_000;

export class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });

  /** Throws when there is no answer: the connection was refused or cut, or silent for too long. */
  send(url: string, sent: Sent, cutAfterMs = ANSWER_MS_MAX): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { method, path, headers = {}, body } = sent;
      const { hostname: host, port } = new URL(url);
      const length =
        body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const all = { ...length, ...headers };
      const options = { agent: this.#agent, host, port, method, path, headers: all };
      const chunks: Buffer[] = [];
      let endless: Answer | undefined;
      const asked = request(options, (response) => {
        const { statusCode: status = 0, headers: given } = response;
        if (given['content-type'] === ENDLESS) endless = { status, headers: given, text: '' };
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          clearTimeout(timer);
          const text = Buffer.concat(chunks).toString();
          resolve({ status, headers: given, text });
        });
      });
      const timer = setTimeout(() => {
        // Whoever follows a job has been answered with its first line, and may leave at any time.
        if (endless !== undefined && chunks.length > 0) resolve(endless);
        asked.destroy(new Error(`no answer within ${cutAfterMs} ms`));
      }, cutAfterMs);
      asked.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      asked.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
