import { setTimeout as sleep } from 'node:timers/promises';

const TROUBLES = ['down', 'failing', 'slow'];
const SLOW_MS = 1_000;

/** Lets the authorization server fail and recover, in every way in turn, until the signal ends it. */
export async function weather({ server, child, clock, settings, signal, onChange }) {
  for (let turn = 0; !signal.aborted; turn++) {
    await pause(settings.upMs, signal);
    if (signal.aborted) break;
    const trouble = TROUBLES[turn % TROUBLES.length];
    begin(server, trouble);
    await jump(child, clock, settings.jumpMs);
    onChange(trouble);
    await pause(settings.troubleMs, signal);
    end(server);
    onChange('up');
  }
  end(server);
}

/** Moves the clock of the application. `changes` is odd while it is not known which time that has. */
async function jump(child, clock, ms) {
  clock.changes++;
  clock.offsetMs += ms;
  await child.call('moveClock', ms);
  clock.changes++;
}

function begin(server, trouble) {
  if (trouble === 'slow') server.keysDelayMs = SLOW_MS;
  else server.state = trouble;
}

function end(server) {
  server.state = 'up';
  server.keysDelayMs = 0;
}

async function pause(ms, signal) {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
  }
}
