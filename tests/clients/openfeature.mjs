// node openfeature.mjs ADDRESS KEY CUSTOMER: flags by OpenFeature's own clients, as one line of JSON.
import { OpenFeature as Server } from '@openfeature/server-sdk';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature as Web } from '@openfeature/web-sdk';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';

const [baseUrl, key, targetingKey] = process.argv.slice(2);
const headers = [['Authorization', `Bearer ${key}`]];

// A server asks for one flag at a time.
await Server.setProviderAndWait(new OFREPProvider({ baseUrl, headers }));
const server = Server.getClient();
const context = { targetingKey, country: 'at', value: 12.5 };
const told = {
  placement: await server.getStringDetails('home', 'own', context),
  experiment: await server.getStringDetails('banner', 'own', context),
  unknown: await server.getStringDetails('nothing', 'own', context),
  nobody: await server.getStringDetails('home', 'own', {}),
  wrong: await server.getStringDetails('home', 'own', { targetingKey, value: 'much' }),
};

// A page has all of them at once, and polls for changes.
const changed = [];
const provider = new OFREPWebProvider({ baseUrl, headers, pollInterval: 50, changeDetection: 'polling', cacheMode: 'disabled' });
provider.events?.addHandler('PROVIDER_CONFIGURATION_CHANGED', e => changed.push(e?.flagsChanged ?? []));
await Web.setContext({ targetingKey, value: 12.5 });
await Web.setProviderAndWait(provider);
const web = Web.getClient();
told.web = { placement: web.getStringDetails('home', 'own'), experiment: web.getStringDetails('banner', 'own') };
await new Promise(r => setTimeout(r, 300));
told.web.later = web.getStringDetails('home', 'own');
told.web.changed = changed.length;
console.log(JSON.stringify(told));
await Web.close();
await Server.close();
process.exit(0);
