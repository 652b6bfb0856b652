/**
 * Stands in for a gateway: listens where it is told, says so, and says `kill` for whoever asks with
 * the token. `BROKEN=1` has it end before it listens.
 */
import { createServer } from 'node:http';

const { PORT, HOST, GATEWAY, KILL_TOKEN, BROKEN } = process.env;
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

process.stdin.on('end', () => process.exit(0)).resume();
process.on('SIGTERM', () => process.exit(0));
if (BROKEN === '1') {
  process.stderr.write('no wind today\n');
  process.exit(1);
}
const server = createServer((request, response) => {
  const isAllowed = request.headers.authorization === `Bearer ${KILL_TOKEN}`;
  const pod = /^\/pods\/([\w-]+)\/kill$/.exec(request.url ?? '')?.[1];
  if (pod !== undefined && isAllowed) say({ type: 'kill', pod });
  response.end(JSON.stringify({ gateway: GATEWAY, pid: process.pid, isAllowed }));
});
server.on('error', () => {
  say({ level: 'fatal', fault: { code: 'PORT_IN_USE' } });
  process.exit(1);
});
server.listen(Number(PORT), HOST, () => say({ type: 'listening', url: `http://${HOST}:${PORT}` }));
