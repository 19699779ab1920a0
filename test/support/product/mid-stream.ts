import { setTimeout as delay } from 'node:timers/promises';
import type { Product } from '../product.ts';
import type { Throttle } from './throttle.ts';

const POLL_MS = 10;
const LIMIT_MS = 60_000;

/** Waits for a condition, and throws with its name when it does not come. */
export async function until(what: string, isSo: () => Promise<boolean> | boolean, limitMs = LIMIT_MS): Promise<void> {
  for (const deadline = Date.now() + limitMs; Date.now() < deadline; await delay(POLL_MS)) {
    if (await isSo()) return;
  }
  throw new Error(`waited ${limitMs} ms for: ${what}`);
}

/** Slows the streams down until `act` is done with what it does in the middle of all of them. */
export async function inMidStream<T>(throttles: readonly Throttle[], bytes: number, act: () => Promise<T>): Promise<T> {
  for (const throttle of throttles) {
    throttle.reset();
    throttle.setRate(SLOW_BYTES_PER_SECOND);
  }
  try {
    await until(`${bytes} bytes of the stream`, () => throttles.every((throttle) => throttle.passed > bytes));
    return await act();
  } finally {
    for (const throttle of throttles) throttle.setRate(Number.POSITIVE_INFINITY);
  }
}

/** A few times less than the seeded ballast in a second. */
const SLOW_BYTES_PER_SECOND = 3_000_000;

/** Waits until an attempt at this activity of the group's running operation has given a sign of life. */
export async function untilRunning(product: Product, activity: string): Promise<void> {
  await until(`an attempt at ${activity}`, async () => {
    const { raw } = await product.client.workflow.getHandle(`lifeboat/${product.group}`).describe();
    return (raw.pendingActivities ?? []).some(
      (pending) => pending.activityType?.name === activity && pending.lastHeartbeatTime,
    );
  });
}
