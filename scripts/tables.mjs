/**
 * Prints the tables that `docs/reference` is made of, as one JSON value: settings of every process,
 * the help of every command, the schema of a manifest. A process of its own, because the generators
 * may import neither apps nor the packages above them. Needs Node 24.
 */

import { CELLS_MAX } from '@leasehold/kernel';
import { settingsTable } from '@leasehold/service';
import { TORUS_CELLS_MIN, WGS84_CELL_MAX } from '@leasehold/spatial';
import { worldSchemaJson } from '@leasehold/world';
import { settings as auditor } from '../apps/auditor/src/config.ts';
import { settings as authority } from '../apps/authority/src/config.ts';
import { programOf } from '../apps/cli/src/program.ts';
import { settings as lifecycle } from '../apps/lifecycle/src/config.ts';
import { settings as simulator } from '../apps/simulator/src/config.ts';
import { settings as gateway } from '../apps/view-gateway/src/config.ts';

/** What the command and its door read; its other choices are flags. */
const command = [
  ['REDIS_URL', 'an address', '', 'Redis to use, instead of a private one under the home.'],
  [
    'DATABASE_URL',
    'an address',
    '',
    'PostgreSQL with PostGIS: registry of a fleet, snapshots. Not through a pooler of transactions.',
  ],
  ['LEASEHOLD_HOME', 'a folder', '.leasehold', 'Registry of worlds and private servers.'],
  ['LEASEHOLD_API', 'an address', 'http://127.0.0.1:7320', 'API that entity and event ask.'],
  ['LEASEHOLD_API_TOKEN', 'text', '', 'Token of that API, where it wants one.'],
  ['LEASEHOLD_GATEWAY', 'an address', 'ws://127.0.0.1:7300/view', 'Gateway that watch asks.'],
  ['LEASEHOLD_INSTALL', '0', '', '0 forbids installing Redis or PostgreSQL where none is found.'],
  [
    'LEASEHOLD_NODE',
    'a program',
    '',
    'Node 24 or newer, where the command is started by an older one.',
  ],
  ['DOCKER_HOST', 'an address', '', 'Where Docker listens, for a Redis in a container in tests.'],
  ['NO_COLOR', 'anything', '', 'Output without colours.'],
].map(([variable, accepts, fallback, purpose]) => ({ variable, accepts, fallback, purpose }));

function helpTexts() {
  const said = [];
  const program = programOf({ help: (text) => said.push(text) }, {}, () => undefined);
  const helpOf = (command, name) => {
    said.length = 0;
    command.outputHelp();
    const own = [[name, said.join('')]];
    return own.concat(command.commands.flatMap((one) => helpOf(one, `${name} ${one.name()}`)));
  };
  return Object.fromEntries(
    program.commands.flatMap((one) => helpOf(one, `leasehold ${one.name()}`)),
  );
}

const tables = {
  settings: {
    'The command leasehold': command,
    'A pod (apps/simulator)': settingsTable(simulator),
    'An authority (apps/authority)': settingsTable(authority),
    'A gateway (apps/view-gateway)': settingsTable(gateway),
    'The lifecycle service (apps/lifecycle)': settingsTable(lifecycle),
    'The auditor (apps/auditor)': settingsTable(auditor),
  },
  help: helpTexts(),
  worldSchema: worldSchemaJson(),
  spaceLimits: [
    `A world has at most ${CELLS_MAX.toLocaleString('en')} cells.`,
    'Width and height of a torus are multiples of `cell`, 1 or at least ' +
      `${TORUS_CELLS_MIN} cells; a plane may end within a cell, and what goes beyond it stays in its border cells.`,
    `On WGS84 a cell is at most ${WGS84_CELL_MAX} degrees and divides 180; x is longitude, y latitude.`,
    'The radius of neighbours is at most a cell less two margins; on WGS84 in metres, where cells are narrowest.',
  ],
};
process.stdout.write(JSON.stringify(tables));
