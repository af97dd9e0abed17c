// The package as CommonJS modules load it.

import client = require('tenant-bridge-client');

const made: client.Client = client.connect({ baseUrl: 'https://tenant-bridge.example', token: () => '' });
if (typeof made.request !== 'function' || typeof client.createConnection !== 'function') {
  throw new Error('the package exports too little to CommonJS');
}
