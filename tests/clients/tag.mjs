// node tag.mjs SCRIPT: the browser tag in a page that is made up, with storage, network and clock in the test's hands.
import assert from 'node:assert';
import fs from 'node:fs';
import vm from 'node:vm';

const script = fs.readFileSync(process.argv[2], 'utf8');

function page(dataset, storage = new Map(), answers = []) {
  const sent = [], beacons = [], timers = [], listeners = {};
  let room = 65_536; // what a browser lets a page that is left leave behind
  const document = { currentScript: { src: 'https://e.example/streamengine.js', dataset }, title: 'T', referrer: '', visibilityState: 'visible',
    addEventListener: (n, f) => { listeners[n] = f; } };
  const window = { addEventListener: (n, f) => { listeners[n] = f; } };
  const sources = [];
  class EventSource {
    constructor(url) { this.url = url; this.on = {}; this.readyState = 1; sources.push(this); }
    addEventListener(n, f) { this.on[n] = f; }
    close() { this.readyState = 2; }
    tell(type, data, lastEventId = '') { this.on[type]({ data: JSON.stringify(data), lastEventId }); }
  }
  const context = { window, EventSource, Promise, document, URL, Blob, JSON, Math, Date, Object, encodeURIComponent,
    location: { href: 'https://shop.example/a', pathname: '/a' },
    localStorage: { getItem: k => storage.get(k) ?? null, setItem: (k, v) => storage.set(k, v), removeItem: k => storage.delete(k) },
    navigator: { language: 'en', sendBeacon: (u, b) => {
      if (b.size > room) return false;
      room -= b.size;
      beacons.push([u, b]);
      return true;
    } },
    setTimeout: f => { timers.push(f); return timers.length; },
    fetch: async (url, options) => {
      const status = answers.shift() ?? 202;
      const bytes = options.body.size;
      if (status === 0 || options.keepalive && bytes > 65_536) throw new TypeError('offline');
      const events = JSON.parse(await options.body.text());
      sent.push({ url, status, bytes, keepalive: options.keepalive, type: options.body.type, events });
      return { status, headers: { get: () => '1' } };
    } };
  vm.runInNewContext(script, context);
  const settle = async () => {
    for (let i = 0; i < 50; i++) { timers.splice(0).forEach(f => f()); await new Promise(r => setImmediate(r)); }
  };
  return { tag: (...a) => window.streamengine(...a), sent, beacons, sources, settle, storage, listeners, document };
}

// What happens is sent, with the key in the address, under one anonymous id that is kept.
let p = page({ key: 'sek_a b', source: 'track' });
p.tag('track', 'Seen', { product_id: 'p1' });
p.tag('identify', 'ann', { plan: 'gold' });
await p.settle();
assert.equal(p.sent[0].url, 'https://e.example/v1/events/track?key=sek_a%20b');
assert.equal(p.sent[0].type, 'text/plain'); // no preflight
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
// What waited has the consent of the moment it is sent, which is told by an event of its own, once.
assert.deepEqual(p.sent.flatMap(s => s.events).map(e => [e.event ?? e.type, e.context.consent.categoryPreferences]),
  ['page', 'Consent Given'].map(n => [n, { email: true, ads: true }]));
p.tag('consent', { ads: true });
p.tag('consent', { email: false });
await p.settle();
assert.deepEqual(p.sent.flatMap(s => s.events).slice(2).map(e => [e.event, e.context.consent.categoryPreferences]),
  [['Consent Withdrawn', { email: false, ads: true }]]);
p.tag('track', 'Seen');
await p.settle();
assert.deepEqual(p.sent.at(-1).events[0].context.consent.categoryPreferences, { email: false, ads: true });
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

// A browser takes no more than 64 KiB with keepalive: large events go in smaller batches, and one that is larger alone without it.
const filling = n => ({ text: 'ü'.repeat(n / 2) });
p = page({ page: 'off' });
for (let i = 0; i < 25; i++) p.tag('track', `Large ${i}`, filling(10_000));
p.tag('track', 'Huge', filling(100_000));
p.tag('track', 'Small');
await p.settle();
assert.deepEqual(p.sent.flatMap(s => s.events.map(e => e.event)), [...Array(25).keys()].map(i => `Large ${i}`).concat('Huge', 'Small'));
assert.ok(p.sent.every(s => s.events.length === 1 || s.bytes <= 48_000));
assert.deepEqual(p.sent.filter(s => !s.keepalive).map(s => s.events[0].event), ['Huge']);
p = page({ page: 'off' });
for (let i = 0; i < 10; i++) p.tag('track', `Left ${i}`, filling(10_000));
p.listeners.pagehide();
const left = (await Promise.all(p.beacons.map(b => b[1].text()))).flatMap(t => JSON.parse(t)).map(e => e.event);
assert.ok(left.length >= 5 && left.length < 10, `${left.length}`);
const kept = JSON.parse(p.storage.get('streamenginequeue')).map(e => e.event); // the others wait for the next page
assert.deepEqual([...left, ...kept], [...Array(10).keys()].map(i => `Left ${i}`));
console.log('ok');

// A page listens to its customer: the browser resumes by itself, and where the token has ended the tag asks for another address.
p = page({ page: 'off' });
const heard = [];
let asked = 0;
p.tag('listen', () => Promise.resolve(`/v1/customers/ann/stream?token=${++asked}`), (type, data) => heard.push([type, data]));
await p.settle();
assert.equal(p.sources[0].url, 'https://e.example/v1/customers/ann/stream?token=1');
p.sources[0].tell('ready', { customer: 'ann' }, '-');
p.sources[0].tell('decision', { decision_id: 'd/1' }, 'd/1');
p.sources[0].tell('features', { all: true }, 'd/1');
p.sources[0].tell('end', { reason: 'expired' }, 'd/1');
await p.settle();
assert.deepEqual(heard.map(h => h[0]), ['ready', 'decision', 'features', 'end']);
assert.equal(p.sources[0].readyState, 2);
assert.equal(p.sources[1].url, 'https://e.example/v1/customers/ann/stream?token=2&last_event_id=d%2F1');
// The browser has given up: the answer was a refusal.
p.sources[1].readyState = 2;
p.sources[1].onerror();
p.sources[1].onerror();
await p.settle();
assert.deepEqual([p.sources.length, p.sources[2].url.slice(-5)], [3, 'd%2F1']);
// While it connects again by itself it is let be, and a stream of a fixed address is not asked for again.
p.sources[2].readyState = 0;
p.sources[2].onerror();
p.tag('listen', '/v1/customers/bob/stream?token=x', () => {});
await p.settle();
p.sources[3].tell('end', { reason: 'expired' });
await p.settle();
assert.equal(p.sources.length, 4);
