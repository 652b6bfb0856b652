export { freePort } from '@leasehold/servers';
export { connectRedis } from './connect-redis.ts';
export { eventually } from './eventually.ts';
export { type Fault, type FaultPlan, faultSchedule } from './faults.ts';
export { type Direction, openProxy, type TcpProxy } from './proxy.ts';
export { type LogLine, type Spawned, spawnNode } from './spawn-node.ts';
export { canStartRedis, type RedisServer, startRedis } from './start-redis.ts';
export { type TestChromium, useChromium } from './use-chromium.ts';
export { type TestRedis, useRedis } from './use-redis.ts';
