import { condition, isCancellation } from '@temporalio/workflow';
import {
  delivered,
  EMPTY_OUTBOX,
  type Outbox,
  type Outboxes,
  undelivered,
  waitMs,
} from '../../domain/alerts/outbox.ts';
import { ERRORS, isErrorCode } from '../../domain/errors.ts';
import { tell } from './activity-options.ts';
import { failureOf } from './compensation.ts';

/** The channels of a run, each told by a loop of its own: a dead one holds up no other. */
export interface OpenOutboxes {
  boxes(): Outboxes;
  change(by: (boxes: Outboxes) => Outboxes): void;
  /** Goes on with what an earlier run has left. */
  begin(): void;
  /** Begins nothing more, and waits for what is under way: at most one attempt of each channel. */
  handOver(): Promise<void>;
}

export function openOutboxes(left: Outboxes): OpenOutboxes {
  let boxes = left;
  let isEnding = false;
  const busy = new Set<string>();
  const update = (channel: string, by: (box: Outbox) => Outbox): void => {
    boxes = { ...boxes, [channel]: by(boxes[channel] ?? EMPTY_OUTBOX) };
  };
  const drain = async (channel: string): Promise<void> => {
    for (;;) {
      const box = boxes[channel] ?? EMPTY_OUTBOX;
      const pauseMs = waitMs(box, Date.now());
      const [notice] = box.notices;
      if (isEnding || pauseMs === null || notice === undefined) return;
      if (pauseMs > 0) {
        await condition(() => isEnding, pauseMs);
        continue;
      }
      try {
        await tell(`tell ${channel}: ${notice.alert.key}`).tellChannel({ channel, notice });
        update(channel, (now) => delivered(now, notice));
      } catch (error) {
        if (isCancellation(error)) throw error;
        const { message, type } = failureOf(error);
        const isFinal = isErrorCode(type) && ERRORS[type].retry === 'never';
        update(channel, (now) => undelivered(now, notice, { error: message, isFinal, nowMs: Date.now() }));
      }
    }
  };
  const start = (): void => {
    for (const channel of Object.keys(boxes).filter((name) => !busy.has(name))) {
      busy.add(channel);
      // A cancelled run tells nothing more; anything else would be a defect, and shows as one.
      void drain(channel)
        .catch((error: unknown) => {
          if (!isCancellation(error)) throw error;
        })
        .finally(() => {
          busy.delete(channel);
          // Something may have come while it ended.
          if (!isEnding && (boxes[channel]?.notices.length ?? 0) > 0) start();
        });
    }
  };
  return {
    boxes: () => boxes,
    change(by) {
      boxes = by(boxes);
      start();
    },
    begin: start,
    async handOver() {
      isEnding = true;
      await condition(() => busy.size === 0);
    },
  };
}
