/** Milliseconds on the monotonic clock that all processes of a Linux machine share. */
export const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6;
