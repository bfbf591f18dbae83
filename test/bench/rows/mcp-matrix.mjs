import { MCP_TRANSPORTS, SERVER_ENTRY } from '../subjects/list.mjs';
import { Child } from '../support/child.mjs';
import { pinApart, unpin } from '../support/cores.mjs';
import { ANSWER } from '../support/tool-call.mjs';
import { matrix, plans } from './matrix.mjs';
import { mcpRequests } from './mcp-workloads.mjs';

/**
 * All subjects of one transport under its workloads, on Express: `tools/call`. Servers have one core and the load
 * another.
 *
 * @returns what `matrix` does
 */
export async function mcpMatrix(transport, { server, settings }) {
  const { subjects, workloads, app = transport } = MCP_TRANSPORTS[transport];
  const { issuer, jwksUri } = server;
  const { processes, connections, warmUpRequests, ...lengths } = settings.mcp;
  const requests = await mcpRequests(server, workloads, settings.mcp);
  const common = { proof: () => ANSWER, connections };
  try {
    return await matrix({
      subjects,
      workloads,
      processes,
      start: ({ part: subject, scoped }) =>
        Child.start(SERVER_ENTRY, { kind: 'mcp', subject, transport: app, scoped, issuer, jwksUri }),
      onWarm: (children) => {
        pinApart(children.flatMap(({ child }) => child?.process.pid ?? []));
      },
      onStop: unpin,
      warmUp: { ...common, ...warmUp(requests, workloads), count: warmUpRequests, durationMs: 120_000 },
      plansOf: (workload, turn) =>
        plans(requests[workload.id], {
          ...lengths[workload.length],
          isOnce: workload.isOnce,
          turn,
          processes,
        }).map((plan) => ({ ...common, ...plan })),
    });
  } finally {
    unpin();
  }
}

/** Lets the compiler see all that comes: first sights are in `first`. */
function warmUp({ first, ...requests }, workloads) {
  const kinds = [first, ...workloads.filter(({ isOnce }) => !isOnce).map(({ id }) => requests[id])];
  return {
    request: (index) => {
      const kind = kinds[index % kinds.length];
      return kind[Math.floor(index / kinds.length) % kind.length];
    },
  };
}
