// Candidates for a user: node retrieve.js HOST:PORT USER [K]
// Run "npm install" and "npm run generate" first.
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { RetrievalService } from "./gen/recsys/v1/retrieval_pb.js";

const [address, userId, k = "10"] = process.argv.slice(2);
const transport = createGrpcTransport({ baseUrl: `http://${address}` });
const client = createClient(RetrievalService, transport);

try {
  const request = { query: { userId }, k: Number(k), titles: true };
  const response = await client.retrieve(request, { timeoutMs: 30_000 });
  for (const { rank, itemId, score, title } of response.candidates) {
    console.log([rank, itemId, score, title ?? ""].join("\t"));
  }
} catch (reason) {
  const error = ConnectError.from(reason);
  const [info] = error.findDetails(ErrorInfoSchema);
  console.error(`${info?.reason ?? Code[error.code]}: ${error.rawMessage}`);
  process.exitCode = 1;
}
