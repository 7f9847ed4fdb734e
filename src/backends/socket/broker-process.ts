/** The broker of a directory: a process of its own, which leaves when nobody needs it. Its arguments are what it is to let go of, and the directory. */

import { Hub } from '../brokered/hub/hub.js';
import { BrokerServer } from './broker-server.js';
import { letGo } from './inheritance.js';
import { Seat, privateName } from './seat.js';
import { socketDirectory, withSocketPath } from './socket-directory.js';
import { SocketNames, sweep } from './socket-names.js';
import { StateDirectory } from './state-directory.js';

/** Without clients and objects for so long, it leaves. */
const UNUSED_MS = 1_000;
/** How often it looks whether it still can be found. */
const LOOK_MS = 5_000;

async function run(directory: string): Promise<void> {
  // What it makes is this user's, whatever its starter lets others have.
  process.umask(0o077);
  const sockets = socketDirectory(directory);
  const server = new BrokerServer();
  const own = privateName();
  await withSocketPath(sockets, own, (path) => server.listen(path));
  const seat = await Seat.take(sockets, own);
  if (seat === undefined) process.exit();

  const names = new SocketNames(directory, sockets, seat);
  const files = new StateDirectory(sockets, own);
  const hub = new Hub(names, files.path);
  names.isThere = (name) => hub.catalogue.get(name) !== undefined;
  await sweep(directory, sockets, seat);
  files.sweep();
  server.serve(hub, files.path, () => seat.isTaken);

  const leave = () => {
    seat.leave();
    names.releaseAll(hub.catalogue.list().map(({ name }) => name));
    seat.forget();
    files.remove();
    server.close();
    process.exit();
  };
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);
  const leaveIfUnused = () => {
    const isUnused = hub.catalogue.isEmpty || !seat.isTaken;
    if (hub.isIdle && isUnused) leave();
  };
  let timer = setTimeout(leaveIfUnused, UNUSED_MS);
  hub.onIdle = () => {
    clearTimeout(timer);
    timer = setTimeout(leaveIfUnused, UNUSED_MS);
  };
  // What it keeps is kept for nobody once its directory is gone.
  setInterval(() => {
    if (!seat.isTaken) leaveIfUnused();
  }, LOOK_MS);
}

const [, , inherited = '', directory = ''] = process.argv;
letGo(inherited);
await run(directory);
