import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { nodeRequestOf } from './node-message.js';

/** The other end of the connection of a request. @internal */
export interface Peer {
  /** Undefined for a closed connection, and for a Unix domain socket. */
  readonly remoteAddress: string | undefined;
  /**
   * The certificate in DER form, whose key the peer has proved to have in the TLS handshake. Whether its chain is trusted is
   * not said. Undefined without TLS or a certificate.
   */
  readonly certificate: Buffer | undefined;
}

/** Returns the peer of a platform's request, of HTTP/1 or HTTP/2. @internal */
export function peerOf(request: object): Peer {
  const { socket } = nodeRequestOf(request) as { readonly socket?: Socket | TLSSocket | null };
  const certificate =
    socket && 'getPeerX509Certificate' in socket ? socket.getPeerX509Certificate()?.raw : undefined;
  return { remoteAddress: socket?.remoteAddress, certificate };
}
