/** The broker of a directory: a process of its own, which leaves when nobody needs it. Its one argument is the directory. */

import { Hub } from '../brokered/hub/hub.js';
import { BrokerServer } from './broker-server.js';
import { Seat, privateName } from './seat.js';
import { socketDirectory, withSocketPath } from './socket-directory.js';

/** Without clients and objects for so long, it leaves. */
const UNUSED_MS = 1_000;

async function run(directory: string): Promise<void> {
  const sockets = socketDirectory(directory);
  const hub = new Hub();
  const server = new BrokerServer(hub);
  const own = privateName();
  await withSocketPath(sockets, own, (path) => server.listen(path));
  const seat = await Seat.take(sockets, own);

  if (seat === undefined) process.exit();
  server.admits = () => seat.isTaken;

  const leave = () => {
    seat.leave();
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
}

await run(process.argv[2] ?? '');
