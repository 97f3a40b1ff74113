// Record interactions of a user, and print the candidates: node record.js HOST:PORT USER ITEM...
// Run "npm install" and "npm run generate" first. The service needs a store.
import { randomUUID } from "node:crypto";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { InteractionService } from "./gen/recsys/v1/interaction_pb.js";
import { RetrievalService } from "./gen/recsys/v1/retrieval_pb.js";

const [address, userId, ...itemIds] = process.argv.slice(2);
const transport = createGrpcTransport({ baseUrl: `http://${address}` });
const timeoutMs = 30_000;

try {
  const now = BigInt(Math.floor(Date.now() / 1000));
  const written = await createClient(InteractionService, transport).recordInteractions(
    {
      interactions: itemIds.map((itemId) => ({ userId, itemId, time: now })),
      idempotencyKey: randomUUID(),
    },
    { timeoutMs },
  );
  const request = { query: { userId }, k: 10 };
  const answer = await createClient(RetrievalService, transport).retrieve(request, { timeoutMs });
  if (answer.watermark < written.watermark) throw new Error("the interactions do not count yet");
  for (const { rank, itemId, score } of answer.candidates) {
    console.log([rank, itemId, score].join("\t"));
  }
} catch (reason) {
  console.error(ConnectError.from(reason).message);
  process.exitCode = 1;
}
