// node tag.mjs SCRIPT: the browser tag in a page that is made up, with storage, network and clock in the test's hands.
import assert from 'node:assert';
import fs from 'node:fs';
import vm from 'node:vm';

const script = fs.readFileSync(process.argv[2], 'utf8');

function page(dataset, storage = new Map(), answers = []) {
  const sent = [], beacons = [], timers = [], listeners = {};
  const document = { currentScript: { src: 'https://e.example/streamengine.js', dataset }, title: 'T', referrer: '', visibilityState: 'visible',
    addEventListener: (n, f) => { listeners[n] = f; } };
  const window = { addEventListener: (n, f) => { listeners[n] = f; } };
  const context = { window, document, URL, Blob, JSON, Math, Date, Object, encodeURIComponent,
    location: { href: 'https://shop.example/a', pathname: '/a' },
    localStorage: { getItem: k => storage.get(k) ?? null, setItem: (k, v) => storage.set(k, v), removeItem: k => storage.delete(k) },
    navigator: { language: 'en', sendBeacon: (u, b) => { beacons.push([u, b]); return true; } },
    setTimeout: f => { timers.push(f); return timers.length; },
    fetch: async (url, options) => {
      const status = answers.shift() ?? 202;
      if (status === 0) throw new TypeError('offline');
      sent.push({ url, status, events: JSON.parse(options.body) });
      return { status, headers: { get: () => '1' } };
    } };
  vm.runInNewContext(script, context);
  const settle = async () => {
    for (let i = 0; i < 50; i++) { timers.splice(0).forEach(f => f()); await new Promise(r => setImmediate(r)); }
  };
  return { tag: (...a) => window.streamengine(...a), sent, beacons, settle, storage, listeners, document };
}

// What happens is sent, with the key in the address, under one anonymous id that is kept.
let p = page({ key: 'sek_a b', source: 'track' });
p.tag('track', 'Seen', { product_id: 'p1' });
p.tag('identify', 'ann', { plan: 'gold' });
await p.settle();
assert.equal(p.sent[0].url, 'https://e.example/v1/events/track?key=sek_a%20b');
const all = p.sent.flatMap(s => s.events);
assert.deepEqual(all.map(e => e.type), ['page', 'track', 'identify']);
assert.equal(new Set(all.map(e => e.anonymousId)).size, 1);
assert.equal(new Set(all.map(e => e.messageId)).size, 3);
assert.deepEqual([all[1].event, all[1].properties, all[2].userId, all[2].traits], ['Seen', { product_id: 'p1' }, 'ann', { plan: 'gold' }]);
const again = page({}, p.storage);
await again.settle();
assert.equal(again.sent[0].events[0].anonymousId, all[0].anonymousId);

// What could not be sent is sent again, also from the next page, with the same ids, and what was refused is not.
p = page({}, new Map(), [0, 429, 503, 0]);
p.tag('track', 'Kept');
for (let i = 0; i < 3; i++) await p.settle();
assert.deepEqual(p.sent.map(s => s.status), [429, 503, 202]);
assert.deepEqual(p.sent[0].events, p.sent[2].events);
p = page({}, new Map(), Array(1000).fill(0));
await p.settle();
const next = page({ page: 'off' }, p.storage);
next.tag('track', 'Next');
await next.settle();
assert.deepEqual(next.sent.flatMap(s => s.events.map(e => e.type)), ['page', 'track']);
p = page({}, new Map(), [400]);
await p.settle();
assert.equal(p.sent.length, 1);

// Where consent is required nothing is sent or kept before it is given, and nothing after it is taken back but that.
p = page({ consent: 'required', purpose: 'ads' });
await p.settle();
assert.deepEqual([p.sent.length, p.storage.size], [0, 0]);
p.tag('consent', { email: true });
await p.settle();
assert.equal(p.sent.length, 0);
p.tag('consent', { ads: true });
await p.settle();
assert.equal(p.sent.flatMap(s => s.events).length, 1);
p.tag('track', 'Seen');
await p.settle();
assert.deepEqual(p.sent.at(-1).events[0].context.consent.categoryPreferences, { email: true, ads: true });
p.tag('consent', { ads: false });
const last = JSON.parse(await p.beacons.at(-1)[1].text());
assert.deepEqual([last.length, last[0].context.consent.categoryPreferences.ads], [1, false]);
assert.equal(p.storage.size, 0);
const count = p.sent.length;
p.tag('track', 'Unseen');
await p.settle();
assert.deepEqual([p.sent.length, p.storage.size], [count, 0]);

// A page that is left hands over what waits.
p = page({});
p.document.visibilityState = 'hidden';
p.listeners.visibilitychange();
assert.equal(p.beacons.length, 1);
await p.settle();
assert.equal(p.sent.length, 0);
console.log('ok');
