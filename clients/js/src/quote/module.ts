/** The WebAssembly module of crates/wasm, and what of it needs no accounts. */

import type { Decoder, Encoder, ReadonlyUint8Array } from '@solana/kit';

import { compile } from '#wasm';

import {
  answers,
  explanationDecoder,
  requests,
  type Explanation,
  type OptionPrice,
  type OptionTerms,
  type Scale,
} from './wire.js';

/** To which side an amount is rounded: up what somebody pays, down what he receives. */
export type Rounding = 'up' | 'down';

type Exports = {
  memory: WebAssembly.Memory;
  perpetua_request: (length: number) => number;
  perpetua_answer: () => number;
  perpetua_length: () => number;
};

/** What a request was refused for. */
export class Refused extends Error {
  /** Number of the program's error, if it has one. */
  readonly code: number | null;
  /** What the caller can do. */
  readonly remedy: string;

  constructor({ code, name, message, remedy }: Explanation) {
    super(`${message}. ${remedy}`);
    this.name = name;
    this.code = code;
    this.remedy = remedy;
  }
}

/** The program's own code, running here. */
export class Perpetua {
  readonly #module: WebAssembly.Module;
  #exports: Exports;

  private constructor(module: WebAssembly.Module) {
    this.#module = module;
    this.#exports = this.#instantiate();
  }

  /** Loads the module that comes with this package, or the one given. */
  static async load(module?: WebAssembly.Module): Promise<Perpetua> {
    return new Perpetua(module ?? (await compile()));
  }

  /** Prices an option, with its sensitivities. */
  price(terms: OptionTerms): OptionPrice {
    return this.ask('price', terms);
  }

  /** A raw amount as a wallet shows it. */
  shown(raw: bigint, scale: Scale, rounding: Rounding): string {
    return this.ask('show', { raw, ...scale, up: rounding === 'up' });
  }

  /** The raw amount of what somebody wrote, such as `12.5`. */
  parse(text: string, scale: Scale, rounding: Rounding): bigint {
    return this.ask('parse', { text, ...scale, up: rounding === 'up' });
  }

  /** What a program's error number means, and what to do about it. */
  explain(code: number): Explanation {
    return this.ask('explain', { code });
  }

  /**
   * Asks the module.
   *
   * @throws {Refused}
   */
  ask<K extends keyof typeof requests>(
    kind: K,
    request: Parameters<(typeof requests)[K]['encode']>[0],
  ): ReturnType<(typeof answers)[K]['decode']> {
    const answer = this.#call((requests[kind] as Encoder<typeof request>).encode(request));
    if (answer[0] !== 0) throw new Refused(explanationDecoder.decode(answer, 1));
    return (answers[kind] as Decoder<ReturnType<(typeof answers)[K]['decode']>>).decode(answer, 1);
  }

  #instantiate(): Exports {
    return new WebAssembly.Instance(this.#module).exports as Exports;
  }

  #call(request: ReadonlyUint8Array): Uint8Array {
    try {
      const { memory, perpetua_request, perpetua_answer, perpetua_length } = this.#exports;
      const place = perpetua_request(request.length);
      new Uint8Array(memory.buffer).set(request, place);
      const answer = perpetua_answer();
      return new Uint8Array(memory.buffer).slice(answer, answer + perpetua_length());
    } catch (error) {
      // What stopped in the middle cannot be called again.
      this.#exports = this.#instantiate();
      throw error;
    }
  }
}
