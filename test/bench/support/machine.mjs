import os from 'node:os';
import process from 'node:process';

/** Own processes make less than this in excess of the cores. */
const QUIET_EXCESS = 1;

/** A warning for figures that were measured beside other work, or undefined. */
export function noiseWarning() {
  const [load] = os.loadavg();
  const isQuiet = load <= os.availableParallelism() + QUIET_EXCESS;
  return isQuiet
    ? undefined
    : `The machine was busy with other work (load ${load.toFixed(1)}): expect noise.`;
}

/** What figures depend on, in one line. */
export function machineLine() {
  const [cpu] = os.cpus();
  const load = os.loadavg()[0].toFixed(2);
  const memory = Math.round(os.totalmem() / 2 ** 30);
  return `Node ${process.version}, ${process.platform} ${process.arch}, ${os.availableParallelism()} cores (${cpu?.model.trim() ?? 'unknown'}), ${memory} GB, load ${load}`;
}
