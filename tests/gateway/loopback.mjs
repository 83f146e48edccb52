// The gateway has no option for the address it listens on and takes all of them: keep it on loopback.
import net from 'node:net';

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...args) {
  const options = typeof args[0] === 'object' && args[0] !== null ? args.shift() : { port: Number(args.shift()) };
  const callback = args.find((each) => typeof each === 'function');
  return listen.call(this, { ...options, host: '127.0.0.1' }, callback);
};
