/** Runs inside a network namespace: listens at the given address, hands the socket to the agent, ends. */
import { createServer } from 'node:net';

const [address = '', port = ''] = process.argv.slice(2);
const server = createServer();
server.listen({ host: address, port: Number(port), backlog: 128 }, () => {
  process.send?.('listening', server, {}, (error) => process.exit(error ? 1 : 0));
});
