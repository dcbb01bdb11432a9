/** Positions of the editor are UTF-16 units, those of the record Unicode scalar values. */

/** The record's position of a UTF-16 index. An index inside a surrogate pair counts as before it. */
export function scalarFromUtf16(text: string, index: number): number {
  let scalar = 0;
  for (let unit = 0; unit < index && unit < text.length; ) {
    const size = (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
    if (unit + size > index) break;
    unit += size;
    scalar += 1;
  }
  return scalar;
}

/** The UTF-16 index of a record's position; the end of the text when it lies beyond. */
export function utf16FromScalar(text: string, scalar: number): number {
  let unit = 0;
  for (let n = 0; n < scalar && unit < text.length; n += 1) unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
  return unit;
}

/**
 * Lengths of the equal beginning and end of two texts. Units: UTF-16, never inside a surrogate pair. `isSame` is
 * asked about places whose units agree, for characters that stand for more than themselves.
 */
export function commonEnds(
  a: string,
  b: string,
  isSame: (inA: number, inB: number) => boolean = () => true,
): { start: number; end: number } {
  const most = Math.min(a.length, b.length);
  const same = (i: number, j: number) => a.charCodeAt(i) === b.charCodeAt(j) && isSame(i, j);
  let start = 0;
  while (start < most && same(start, start)) start += 1;
  if (start > 0 && isHigh(a.charCodeAt(start - 1))) start -= 1;
  let end = 0;
  while (end < most - start && same(a.length - 1 - end, b.length - 1 - end)) end += 1;
  if (end > 0 && isLow(a.charCodeAt(a.length - end))) end -= 1;
  return { start, end };
}

const isHigh = (unit: number) => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number) => unit >= 0xdc00 && unit < 0xe000;
