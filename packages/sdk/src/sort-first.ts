/** Up to so many numbers an insertion sort is faster than the built-in. */
const INSERTION_MAX = 48;

/** Puts the first `count` numbers in ascending order. */
export function sortFirst(numbers: Int32Array, count: number): void {
  if (count > INSERTION_MAX) {
    numbers.subarray(0, count).sort();
    return;
  }
  for (let i = 1; i < count; i++) {
    const number = numbers[i] as number;
    let j = i - 1;
    for (; j >= 0 && (numbers[j] as number) > number; j--) numbers[j + 1] = numbers[j] as number;
    numbers[j + 1] = number;
  }
}
