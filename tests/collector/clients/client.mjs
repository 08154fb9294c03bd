// Segment's own library for Node as an application uses it: `node client.mjs HOST WRITE_KEY USERS ROUNDS`.
import { Analytics } from "@segment/analytics-node";

const [host, writeKey, users, rounds] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, flushAt: 20, flushInterval: 100, maxRetries: 20, httpRequestTimeout: 10_000 });
let failed = 0;
analytics.on("error", (error) => {
  failed += 1;
  console.error(error);
});
for (let number = 0; number < users; number += 1) {
  analytics.identify({ userId: `u${number}`, traits: { email: `u${number}@example.com`, plan: "pro" } });
}
// A client that sends batches in parallel gives up the order between them, so each round is sent before the next.
for (let turn = 0; turn < rounds; turn += 1) {
  await analytics.flush();
  for (let number = 0; number < users; number += 1) {
    analytics.track({ userId: `u${number}`, event: `Round ${turn}`, properties: { turn } });
  }
}
await analytics.flush();
analytics.group({ userId: "u0", groupId: "g0", traits: { name: "Tea" } });
await analytics.closeAndFlush();
console.log(`failed ${failed}`);
