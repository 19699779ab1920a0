import { createProgressView, type ProgressRow } from '../../../src/cli/progress.ts';
import { formatBytes, formatElapsed } from '../../../src/cli/units.ts';

function screen(columns = 200): { write(text: string): void; columns: number; text(): string; take(): string } {
  let written = '';
  return {
    columns,
    write: (text) => void (written += text),
    text: () => written,
    take() {
      const taken = written;
      written = '';
      return taken;
    },
  };
}

const row = (bytes: number, more: Partial<ProgressRow['progress']> = {}): ProgressRow => ({
  name: 'postgres',
  progress: { phase: 'dumping', bytes, ...more },
});
const MIB = 2 ** 20;

test('lines come once per interval, with phase, object, bytes, rate and time', () => {
  let at = 0;
  const stream = screen();
  const view = createProgressView({ mode: 'lines', stream, intervalMs: 10_000, now: () => at });
  for (; at < 25_000; at += 1_000)
    view.update([row((at / 1_000) * MIB, { object: 'public.audit', totalBytes: 100 * MIB })]);
  const lines = stream.text().trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[2]).toBe(
    'postgres  dumping  public.audit  20.0 MiB of 100 MiB [====                ]  1.00 MiB/s  20 s',
  );
  expect(stream.text()).not.toContain('\u001B');
});

test('the live view replaces its own lines, never wraps, and is gone after stop', () => {
  let at = 0;
  const stream = screen(30);
  const view = createProgressView({ mode: 'live', stream, intervalMs: 10_000, now: () => at });
  view.update([row(1), { name: 'redis', progress: undefined }]);
  const first = stream.take();
  expect(first.split('\n')).toHaveLength(3);
  at = 100;
  view.update([row(2)]);
  expect(stream.take()).toBe('');
  at = 300;
  view.update([row(3, { object: 'a'.repeat(100) })]);
  const second = stream.take();
  expect(second.startsWith('\u001B[2A\u001B[J')).toBe(true);
  for (const line of second.slice(8).split('\n')) expect(line.length).toBeLessThan(30);
  view.stop();
  expect(stream.take()).toBe('\u001B[1A\u001B[J');
  view.stop();
  expect(stream.take()).toBe('');
});

test('the rate forgets a stall after some seconds, and a new attempt counts from zero', () => {
  let at = 0;
  const stream = screen();
  const view = createProgressView({ mode: 'lines', stream, intervalMs: 0, now: () => at });
  const show = (bytes: number): string => {
    view.update([row(bytes)]);
    return stream.take();
  };
  show(0);
  at = 1_000;
  expect(show(10 * MIB)).toContain('10.0 MiB/s');
  for (at = 2_000; at <= 8_000; at += 1_000) show(10 * MIB);
  expect(show(10 * MIB)).not.toContain('/s');
  at = 9_000;
  expect(show(1 * MIB)).not.toContain('-');
});

test('none shows nothing', () => {
  const stream = screen();
  const view = createProgressView({ mode: 'none', stream, intervalMs: 0 });
  view.update([row(1)]);
  view.stop();
  expect(stream.text()).toBe('');
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '0.98 KiB'],
  [1_536, '1.50 KiB'],
  [256 * MIB, '256 MiB'],
  [1_000 * MIB, '0.98 GiB'],
  [3 * 2 ** 50, '3.00 PiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, '0 s'],
  [59_999, '59 s'],
  [125_000, '2:05'],
  [3_725_000, '1:02:05'],
])('%d ms are %s', (milliseconds, text) => {
  expect(formatElapsed(milliseconds)).toBe(text);
});
