/** The broker of a directory: a process of its own, which leaves when nobody needs it. Its arguments are what it is to let go of, and the directory. */

import { Hub } from '../brokered/hub/hub.js';
import type { BrokerPlace } from './broker-place.js';
import { BrokerServer } from './broker-server.js';
import { letGo } from './inheritance.js';
import { PipePlace } from './pipe-place.js';
import { usesPipes } from './pipes.js';
import { socketDirectory } from './socket-directory.js';
import { SocketPlace } from './socket-place.js';

/** Without clients and objects for so long, it leaves. */
const UNUSED_MS = 1_000;
/** How often it looks whether it still can be found. */
const LOOK_MS = 5_000;

async function run(directory: string): Promise<void> {
  // What it makes is this user's, whatever its starter lets others have.
  process.umask(0o077);
  const sockets = socketDirectory(directory);
  const server = new BrokerServer();
  const place: BrokerPlace | undefined = usesPipes()
    ? await PipePlace.take(sockets, server)
    : await SocketPlace.take(directory, sockets, server);
  if (place === undefined) process.exit();

  const hub = new Hub(place.names, place.stateDirectory);
  await place.begin((name) => hub.catalogue.get(name) !== undefined);
  server.serve(hub, place.stateDirectory, () => place.isTaken);

  const leave = () => {
    place.leave(hub.catalogue.list().map(({ name }) => name));
    server.close();
    process.exit();
  };
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);
  const leaveIfUnused = () => {
    const isUnused = hub.catalogue.isEmpty || !place.isTaken;
    if (hub.isIdle && isUnused) leave();
  };
  let timer = setTimeout(leaveIfUnused, UNUSED_MS);
  hub.onIdle = () => {
    clearTimeout(timer);
    timer = setTimeout(leaveIfUnused, UNUSED_MS);
  };
  // What it keeps is kept for nobody once its directory is gone.
  setInterval(() => {
    if (!place.isTaken) leaveIfUnused();
  }, LOOK_MS);
}

const [, , inherited = '', directory = ''] = process.argv;
letGo(inherited);
await run(directory);
