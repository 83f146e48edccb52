// Every name of a host leads to this machine, so that a test can listen for what the gateway sends to others.
import dns from 'node:dns';

const lookup = dns.lookup;
dns.lookup = (name, options, callback) => lookup('127.0.0.1', options, callback);
