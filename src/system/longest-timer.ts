/** Milliseconds. Timers hold 31 bits: Node ends a longer one after 1 ms instead. */
export const longestTimerMs = 2 ** 31 - 1;
