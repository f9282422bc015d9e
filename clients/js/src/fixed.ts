/** Fixed-point numbers and the decimals that people read and write, exactly. */

/** Fraction bits of prices, strikes, values and sensitivities. */
export const USD_BITS = 64n;
/** Fraction bits of volatilities. */
export const VOLATILITY_BITS = 48n;

/** The number with `bits` fraction bits that a decimal such as `-12.5` stands for, rounded towards zero. */
export function parseFixed(text: string, bits: bigint): bigint {
  const parts = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!parts) throw new RangeError(`"${text}" is no decimal number; write it like 12.5`);
  const [, sign, whole = '', fraction = ''] = parts;
  const magnitude = (BigInt(whole + fraction) << bits) / 10n ** BigInt(fraction.length);
  return sign ? -magnitude : magnitude;
}

/** A number with `bits` fraction bits as a decimal of `places` places, rounded towards zero. */
export function formatFixed(value: bigint, bits: bigint, places: number): string {
  const magnitude = value < 0n ? -value : value;
  const digits = ((magnitude * 10n ** BigInt(places)) >> bits).toString().padStart(places + 1, '0');
  const sign = value < 0n && /[1-9]/.test(digits) ? '-' : '';
  const whole = digits.slice(0, digits.length - places);
  return sign + (places === 0 ? whole : `${whole}.${digits.slice(-places)}`);
}
