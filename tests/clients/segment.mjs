// node segment.mjs ADDRESS KEY: one call of each kind by Segment's own client.
import { Analytics } from '@segment/analytics-node';

const [address, writeKey] = process.argv.slice(2);
const client = new Analytics({ writeKey, host: address, path: '/v1/batch', maxEventsInBatch: 4 });
client.on('error', e => { console.error(e); process.exitCode = 1; });
client.identify({ userId: 'ann', traits: { plan: 'gold' } });
client.track({ userId: 'ann', event: 'Order Completed', properties: { revenue: 12.5, product_id: 'p1' } });
client.page({ anonymousId: 'x', name: 'Home' });
client.screen({ userId: 'ann', name: 'Start' });
client.group({ userId: 'ann', groupId: 'g1' });
client.alias({ userId: 'ann', previousId: 'x' });
await client.closeAndFlush();
