import { fork } from 'node:child_process';
import process from 'node:process';

/** How much of what a child prints is kept, for the message when it fails. */
const MAX_OUTPUT = 4_000;

/**
 * A process of its own that answers calls. Ends with its parent.
 */
export class Child {
  /**
   * @param {URL} entry - a file that calls `serveParent`
   * @param {object} settings - its argument
   * @param {{ execArgv?: readonly string[], env?: Record<string, string> }} [node] - what Node is started with
   */
  static async start(entry, settings, { execArgv = [], env = {} } = {}) {
    const self = new Child();
    self.output = '';
    self.calls = new Map();
    self.nextId = 1;
    self.process = fork(entry, [JSON.stringify(settings)], {
      silent: true,
      execArgv: [...execArgv],
      env: { ...process.env, ...env },
    });
    for (const stream of [self.process.stdout, self.process.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        self.output = (self.output + text).slice(-MAX_OUTPUT);
      });
    }
    self.process.on('message', ({ id, value, error }) => {
      const call = self.calls.get(id);
      self.calls.delete(id);
      if (error === undefined) call?.resolve(value);
      else call?.reject(new Error(error));
    });
    self.exited = new Promise((resolve) => {
      self.process.on('exit', (code, signal) => {
        for (const { reject } of self.calls.values())
          reject(new Error(`ended (${code ?? signal}): ${self.output}`));
        self.calls.clear();
        resolve();
      });
    });
    try {
      self.ready = await self.call('ready');
    } catch (error) {
      await self.stop();
      throw error;
    }
    return self;
  }

  /** Calls one of the child's functions. */
  call(name, argument) {
    return new Promise((resolve, reject) => {
      const id = this.nextId++;
      this.calls.set(id, { resolve, reject });
      this.process.send({ id, name, argument }, (error) => {
        if (error) reject(error);
      });
    });
  }

  async stop() {
    if (this.process.connected) this.process.disconnect();
    await this.exited;
  }
}
