import { lookup } from 'node:dns/promises';
import { isIPv4, isIPv6 } from 'node:net';

/**
 * An address in a notation that every resolver understands and nobody types: 127.0.0.1 as `0x7f000001`, IPv6 in full
 * and in capitals. A target that still follows an agent whose process died shows it in `master_host`, and so a later
 * attempt can tell that leftover from a replica that somebody set up.
 */
export async function agentAddress(host: string): Promise<string> {
  const plain = host.replace(/^::ffff:(?=\d+\.)/i, '');
  const address = isIPv4(plain) || isIPv6(plain) ? plain : await resolve(plain);
  if (isIPv4(address)) return `0x${Buffer.from(address.split('.').map(Number)).toString('hex')}`;
  return isIPv6(address) ? inFull(address) : address;
}

/** Was this `master_host` given by an agent of ours? */
export function isAgentAddress(masterHost: string): boolean {
  return /^0x[0-9a-f]{8}$/.test(masterHost) || /^(?:[0-9A-F]{4}:){7}[0-9A-F]{4}$/.test(masterHost);
}

/** A name that only the target can resolve is passed on as it is: the leftover is then left to a person. */
async function resolve(name: string): Promise<string> {
  return await lookup(name).then(
    ({ address }) => address,
    () => name,
  );
}

function inFull(address: string): string {
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].map((group) => group.padStart(4, '0').toUpperCase()).join(':');
}

/** The groups of one side of `::`; a trailing dotted part stands for two. */
function groupsOf(side: string): string[] {
  return side
    .split(':')
    .filter(Boolean)
    .flatMap((group) => {
      if (!group.includes('.')) return [group];
      const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
      return [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)];
    });
}
