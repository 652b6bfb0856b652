/** A Redis in a container, for tests on a machine that has Docker but no Redis. */
import { request } from 'node:http';
import type { ServerSettings } from './config.ts';

const IMAGE = 'redis:7-alpine';
const ANSWER_WAIT_MS = 1_000;

export type Container = { readonly redisUrl: string; close(): Promise<void> };

/** Starts one. `reasons` gets a sentence when no daemon answers or the image cannot be had. */
export async function openContainer(
  settings: ServerSettings,
  log: (line: string) => void,
  reasons: string[],
): Promise<Container | undefined> {
  if (!(await daemonAnswers(settings.dockerHost))) {
    reasons.push('no Docker daemon answers');
    return undefined;
  }
  // The reaper is one more image to fetch, and where no registry is reachable it fails every start.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  log(`Starting ${IMAGE} with Docker …`);
  try {
    const { GenericContainer } = await import('testcontainers');
    const started = await new GenericContainer(IMAGE)
      .withExposedPorts(6379)
      .withCommand([
        'redis-server',
        ...['--appendonly', 'yes', '--maxmemory-policy', 'noeviction'],
        ...['--stream-node-max-bytes', '1024'],
      ])
      .start();
    return {
      redisUrl: `redis://${started.getHost()}:${started.getMappedPort(6379)}`,
      close: async () => {
        await started.stop();
      },
    };
  } catch (error) {
    reasons.push(
      `Docker could not run ${IMAGE}: ${error instanceof Error ? error.message : error}`,
    );
    return undefined;
  }
}

function daemonAnswers(dockerHost: string): Promise<boolean> {
  return new Promise((resolve) => {
    const url = URL.canParse(dockerHost) ? new URL(dockerHost) : undefined;
    const target =
      url?.protocol === 'tcp:'
        ? { host: url.hostname, port: Number(url.port || 2375) }
        : { socketPath: url?.pathname ?? '/var/run/docker.sock' };
    const ping = request({ ...target, path: '/_ping', timeout: ANSWER_WAIT_MS }, (reply) => {
      reply.resume();
      resolve(reply.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy());
    ping.on('error', () => resolve(false));
    ping.on('close', () => resolve(false));
    ping.end();
  });
}
