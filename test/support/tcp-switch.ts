/** What clients connect through: leads each new connection to the port that a file names. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endTogether } from './end-together.ts';

export interface Switch {
  readonly port: number;
  /** Whoever writes another port into it leads the next connections there. */
  readonly file: string;
  close(): Promise<void>;
}

export async function startSwitch(first: number): Promise<Switch> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-switch-'));
  const file = join(folder, 'port');
  await writeFile(file, String(first));
  const open = new Set<Socket>();
  const lead = async (client: Socket): Promise<void> => {
    const upstream = connect(Number(await readFile(file, 'utf8')), '127.0.0.1');
    endTogether(open, client, upstream);
    client.pipe(upstream).pipe(client);
  };
  const server = createServer({ pauseOnConnect: false }, (client) => {
    void lead(client).catch(() => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    file,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}
