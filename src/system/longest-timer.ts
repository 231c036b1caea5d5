/** In milliseconds. Timers have 31 bits: Node ends a longer timer after 1 ms. */
export const longestTimerMs = 2 ** 31 - 1;
