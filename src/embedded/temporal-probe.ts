import { connect } from 'node:http2';

const PROBE_LIMIT_MS = 3_000;
const GRPC_OK = '0';

/**
 * Whether a Temporal server at `host:port` serves the namespace: one DescribeNamespace by gRPC over plain HTTP/2, so that
 * the embedded stack needs no Temporal client. Any trouble is `false`.
 */
export async function temporalServes(address: string, namespace = 'default'): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connect(`http://${address}`);
    const settle = (served: boolean): void => {
      resolve(served);
      session.destroy();
    };
    session.setTimeout(PROBE_LIMIT_MS, () => settle(false));
    session.on('error', () => settle(false));
    const request = session.request({
      ':method': 'POST',
      ':path': '/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    request.on('error', () => settle(false));
    // An error comes as a response without a body, then grpc-status is among the headers.
    request.on(
      'response',
      (headers) => headers['grpc-status'] !== undefined && settle(headers['grpc-status'] === GRPC_OK),
    );
    request.on('trailers', (trailers) => settle(trailers['grpc-status'] === GRPC_OK));
    request.on('close', () => settle(false));
    request.resume();
    request.end(grpcMessage(namespace));
  });
}

/** DescribeNamespaceRequest with field 1, `namespace`, in a gRPC frame: no compression, length, message. */
function grpcMessage(namespace: string): Buffer {
  const name = Buffer.from(namespace);
  const message = Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}
