/**
 * Goal: what a host is told cannot be misread by a shell at the other end, and how its program ended is known.
 * Method: `sh` in the place of ssh, which gets the verb and its words as arguments.
 */
import { runOnHost, type HostRequest } from '../../../src/failover/host/run-on-host.ts';
import { caught } from '../../support/caught.ts';

const request = (script: string, more: Partial<HostRequest> = {}): HostRequest => ({
  doing: 'fence a',
  host: { command: ['sh', '-c', script, 'host', '/data'], timeoutMs: 30_000 },
  verb: 'fence',
  signal: new AbortController().signal,
  ...more,
});

describe('the program on a host', () => {
  it('gets the data directory, the verb and its words, and gives what it prints', async () => {
    const words = ['00000001', '0/3000028', 'db-a.example', '5432'];
    expect(await runOnHost(request('printf "%s|" "$@"', { words }))).toBe(`/data|fence|${words.join('|')}|`);
  });

  it.each(['a b', '$(id)', ';reboot', "'", '', 'a\nb', '*', '~', '-r'])('is not handed %j', async (word) => {
    const refused = await caught(() => runOnHost(request('echo run', { words: [word] })));
    expect(refused).toMatchObject({ code: 'FAILOVER_COMMAND_FAILED' });
    expect(refused.message).toContain('no word that is handed to a host');
  });

  it('that fails says how, with the lines before the last', async () => {
    const failed = await caught(() => runOnHost(request('echo "no such file" >&2; echo "giving up" >&2; exit 3')));
    expect(failed.message).toBe('fence a: exit code 3: no such file; giving up');
  });

  it('that does not end in time is ended, and an abort is the abort', async () => {
    const host = { command: ['sh', '-c', 'sleep 60'], timeoutMs: 200 };
    expect((await caught(() => runOnHost(request('', { host })))).message).toBe('fence a: not done after 200 ms');
    const reason = new Error('cancelled');
    const aborted = runOnHost(request('sleep 60', { signal: AbortSignal.abort(reason) }));
    await expect(aborted).rejects.toBe(reason);
  });
});
