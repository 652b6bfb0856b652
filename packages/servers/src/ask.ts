/**
 * A few questions to a Redis server on this machine, without a client library: whether it lives,
 * whose data it serves, and that it should end. Never used on the state path.
 */
import { connect } from 'node:net';

const REPLY_BYTES_MAX = 1 << 20;

/**
 * Sends one command to 127.0.0.1 and returns the reply as text; an array as its items joined by
 * newlines. Rejects when nothing answers within `timeoutMs`, or with the server's error line.
 */
export function ask(port: number, command: readonly string[], timeoutMs = 2_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    let received = '';
    const finish = (act: () => void) => {
      socket.destroy();
      act();
    };
    socket.setTimeout(timeoutMs, () => finish(() => reject(new Error('no answer in time'))));
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write(encode(command)));
    socket.on('data', (text: string) => {
      received += text;
      if (received.length > REPLY_BYTES_MAX) {
        return finish(() => reject(new Error('the reply is too long')));
      }
      const reply = parse(received);
      if (reply === undefined) return;
      finish(() => (reply instanceof Error ? reject(reply) : resolve(reply.text)));
    });
    socket.on('error', (error) => finish(() => reject(error)));
    socket.on('close', () => reject(new Error('the connection closed without an answer')));
  });
}

function encode(command: readonly string[]): string {
  const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
  return `*${command.length}\r\n${parts.join('')}`;
}

type Parsed = { readonly text: string; readonly rest: string };

/** One whole reply from the front of `wire`; nothing when it has not all arrived. */
function parse(wire: string): Parsed | Error | undefined {
  const end = wire.indexOf('\r\n');
  if (end === -1) return undefined;
  const line = wire.slice(1, end);
  const rest = wire.slice(end + 2);
  switch (wire[0]) {
    case '-':
      return new Error(line);
    case '$': {
      const length = Number(line);
      if (length < 0) return { text: '', rest };
      if (rest.length < length + 2) return undefined;
      return { text: rest.slice(0, length), rest: rest.slice(length + 2) };
    }
    case '*':
      return parseItems(Number(line), rest);
    default:
      return { text: line, rest };
  }
}

function parseItems(count: number, wire: string): Parsed | Error | undefined {
  const texts: string[] = [];
  let rest = wire;
  for (let i = 0; i < count; i++) {
    const item = parse(rest);
    if (item === undefined || item instanceof Error) return item;
    texts.push(item.text);
    rest = item.rest;
  }
  return { text: texts.join('\n'), rest };
}

/** The value of one line of INFO. */
export function infoField(info: string, field: string): string | undefined {
  const line = info.split('\r\n').find((candidate) => candidate.startsWith(`${field}:`));
  return line?.slice(field.length + 1);
}
