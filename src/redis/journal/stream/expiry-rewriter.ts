import { LifeboatError } from '../../../domain/errors.ts';

/** Longer names and options mean nothing here. */
const WORD_MAX_BYTES = 20;
const LF = 10;
const LINE_END = Buffer.from('\r\n', 'latin1');

/** `ttl`: the argument is what is left. `before value`: so it is, in front of the value. `options`: EX or PX behind these arguments. */
type Form =
  | { readonly form: 'ttl' | 'before value'; readonly unitMs: number }
  | { readonly form: 'options'; readonly from: number }
  | { readonly form: 'none' };

/** What servers before Redis 7 send to replicas with a relative expiry; RESTORE they send with ABSTTL. */
const FORMS: Readonly<Record<string, Form>> = {
  SET: { form: 'options', from: 3 },
  GETEX: { form: 'options', from: 2 },
  EXPIRE: { form: 'ttl', unitMs: 1_000 },
  PEXPIRE: { form: 'ttl', unitMs: 1 },
  SETEX: { form: 'before value', unitMs: 1_000 },
  PSETEX: { form: 'before value', unitMs: 1 },
};
const NONE: Form = { form: 'none' };
const TTL_ARGUMENT = 2;
/** SET, key, value, PXAT, instant: in the place of the four arguments of SETEX. */
const SET_ARGUMENTS = 5;

/**
 * Turns commands with the time that is left into ones with an instant, in a stream of RESP arrays that comes in pieces of any
 * size. All else comes out as it went in. Values are passed on, never collected. Instants are understood since Redis 6.2.
 */
export class ExpiryRewriter {
  #out: Buffer[] = [];
  #line = '';
  #count = 0;
  #argument = 0;
  /** Of the argument that is being read, with its line end. */
  #left = 0;
  #word: Buffer[] | undefined;
  #form: Form = NONE;
  /** The unit of EX or PX, whose number is the next argument. */
  #optionMs: number | undefined;
  #heldMs = 0;

  /** Gives what has become of these bytes, as far as it is known; the rest comes with the next ones. */
  push(bytes: Buffer, nowMs: number): Buffer {
    let at = 0;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const end = Math.min(at + this.#left, bytes.length);
        (this.#word ?? this.#out).push(bytes.subarray(at, end));
        this.#left -= end - at;
        at = end;
        if (this.#left === 0) this.#endArgument(nowMs);
      } else {
        this.#line += String.fromCharCode(bytes[at]!);
        if (bytes[at] === LF) this.#header();
        at += 1;
      }
    }
    const out = Buffer.concat(this.#out);
    this.#out = [];
    // A word that is not complete would otherwise look at memory that is its giver's again.
    if (this.#word !== undefined) this.#word = [Buffer.concat(this.#word)];
    return out;
  }

  #header(): void {
    const [, sign, digits] = /^([*$])(\d+)\r\n$/.exec(this.#line) ?? [];
    this.#line = '';
    if (sign === undefined || (sign === '*') !== this.#count <= this.#argument) {
      throw new LifeboatError('REDIS_PROTOCOL_ERROR', 'rewrite expiries of a redis stream: no command');
    }
    if (sign === '*') {
      this.#count = Number(digits);
      this.#argument = 0;
      return;
    }
    const length = Number(digits);
    this.#left = length + LINE_END.length;
    const isWord = length <= WORD_MAX_BYTES && this.#wantsWord();
    this.#word = isWord ? [] : undefined;
    if (isWord) return;
    if (this.#argument === 0) this.#begin(NONE);
    this.#out.push(Buffer.from(`$${length}\r\n`, 'latin1'));
  }

  #wantsWord(): boolean {
    const { form } = this.#form;
    if (this.#argument === 0) return true;
    if (form === 'options') return this.#argument >= this.#form.from;
    return form !== 'none' && this.#argument === TTL_ARGUMENT;
  }

  #endArgument(nowMs: number): void {
    const word = this.#word && Buffer.concat(this.#word).subarray(0, -LINE_END.length);
    this.#word = undefined;
    if (word !== undefined) this.#takeWord(word, nowMs);
    this.#argument += 1;
    if (this.#argument === this.#count && this.#form.form === 'before value') this.#bulk('PXAT', String(this.#heldMs));
  }

  #takeWord(word: Buffer, nowMs: number): void {
    const text = word.toString('latin1');
    if (this.#argument === 0) {
      this.#begin(FORMS[text.toUpperCase()] ?? NONE);
      this.#bulk({ ttl: 'PEXPIREAT', 'before value': 'SET', options: text, none: text }[this.#form.form]);
      return;
    }
    switch (this.#form.form) {
      case 'ttl':
        this.#bulk(instant(text, this.#form.unitMs, nowMs));
        return;
      case 'before value':
        this.#heldMs = Number(instant(text, this.#form.unitMs, nowMs));
        return;
      case 'options':
      case 'none':
        this.#takeOption(text, nowMs);
    }
  }

  #takeOption(text: string, nowMs: number): void {
    if (this.#optionMs !== undefined) {
      this.#bulk('PXAT', instant(text, this.#optionMs, nowMs));
      this.#optionMs = undefined;
      return;
    }
    this.#optionMs = { EX: 1_000, PX: 1 }[text.toUpperCase()];
    if (this.#optionMs === undefined) this.#bulk(text);
  }

  #begin(form: Form): void {
    this.#form = form;
    const count = form.form === 'before value' ? SET_ARGUMENTS : this.#count;
    this.#out.push(Buffer.from(`*${count}\r\n`, 'latin1'));
  }

  #bulk(...texts: readonly string[]): void {
    for (const text of texts) this.#out.push(Buffer.from(`$${text.length}\r\n${text}\r\n`, 'latin1'));
  }
}

function instant(text: string, unitMs: number, nowMs: number): string {
  const left = Number(text);
  if (Number.isSafeInteger(left)) return String(nowMs + left * unitMs);
  throw new LifeboatError('REDIS_PROTOCOL_ERROR', 'rewrite expiries of a redis stream: no number');
}
