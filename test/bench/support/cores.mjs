import { execFileSync } from 'node:child_process';
import process from 'node:process';

const ALL = allowed(process.pid);

/** Whether processes can be put on cores of their own here. */
export const canPin = ALL.length > 1;

/** Puts servers on one core and the load, which is this process, on another, if the machine has `taskset` and two cores. */
export function pinApart(serverPids) {
  if (!canPin) return;
  for (const pid of serverPids) pin(pid, ALL[0]);
  pin(process.pid, ALL[1]);
}

/** Lets this process, and those that it starts, run on all cores again. */
export function unpin() {
  if (canPin) pin(process.pid, ALL.join(','));
}

/** The cores that a process may use; none without `taskset`. */
function allowed(pid) {
  try {
    const [, list] = /list: ([\d,-]+)/.exec(taskset('-cp', pid)) ?? [];
    return list.split(',').flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
  } catch {
    return [];
  }
}

/** All threads of the process: those that collect garbage too. */
function pin(pid, cores) {
  taskset('-acp', cores, pid);
}

function taskset(...parts) {
  return execFileSync('taskset', parts.map(String), { encoding: 'utf8', stdio: 'pipe' });
}
