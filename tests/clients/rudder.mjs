// node rudder.mjs ADDRESS KEY: one call of each kind by RudderStack's own client, which packs what it sends.
import RudderAnalytics from '@rudderstack/rudder-sdk-node';

const [dataPlaneUrl, writeKey] = process.argv.slice(2);
const client = new (RudderAnalytics.default ?? RudderAnalytics)(writeKey, { dataPlaneUrl, flushAt: 100, gzip: true });
client.identify({ userId: 'ann', traits: { plan: 'gold' } });
client.track({ userId: 'ann', event: 'Order Completed', properties: { revenue: 12.5, product_id: 'p1' } });
client.page({ anonymousId: 'x', name: 'Home' });
client.screen({ userId: 'ann', name: 'Start' });
client.group({ userId: 'ann', groupId: 'g1' });
client.alias({ userId: 'ann', previousId: 'x' });
await client.flush();
