/** `stops`: no change of roles begins; `approval`: only when a person takes it on; `notice`: worth knowing. */
export interface Finding {
  readonly name: string;
  readonly weight: 'stops' | 'approval' | 'notice';
  /** Lower case, made of facts. */
  readonly message: string;
}

export interface PairLimits {
  /** A standby that is further behind is not switched to, and promoted only with an approval. */
  readonly maxLagBytes: number;
  /** Silence of a sender that counts as a broken line. */
  readonly maxSilentSeconds: number;
  /** Room that the disk of the one to be promoted must have; not asked where it is absent. */
  readonly minFreeBytes?: number;
}
