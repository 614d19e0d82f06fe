// Run a pre-request script as Postman does: `pm` as far as the script uses it, the real crypto-js.
//
// node postman.cjs SCRIPT --sign             ALINB_SIGN is standard input
// node postman.cjs SCRIPT [CODE|NAME=VALUE]  send what the script made of the request
const fs = require('fs');
const vm = require('vm');

const [script, ...args] = process.argv.slice(2);
const variables = { ...process.env };
if (args[0] === '--sign') variables.ALINB_SIGN = fs.readFileSync(0, 'utf8');
else variables.ALINB_CODE = args.find((argument) => !argument.includes('='));

const fields = args.filter((argument) => argument.includes('=')).map((argument) => {
  const [key, ...value] = argument.split('=');
  return { key, value: value.join('=') };
});
fields.push({ key: 'switched_off', value: '1', disabled: true });
const sent = {};
const pm = {
  variables: {
    get: (name) => variables[name],
    replaceIn: (text) => text.replace(/\{\{(\w+)\}\}/g, (_, name) => variables[name]),
  },
  request: {
    headers: { all: () => [] },
    body: { urlencoded: { all: () => fields } },
    update: (request) => Object.assign(sent, request),
  },
};
// Postman has CryptoJS as a global besides, which a script must not declare again.
const globals = { pm, require, console, CryptoJS: null };
vm.runInNewContext(fs.readFileSync(script, 'utf8'), globals, { filename: script });

if (args[0] !== '--sign') {
  const pairs = sent.body.urlencoded.map(({ key, value }) => [key, value]);
  fetch(sent.url, { method: sent.method, body: new URLSearchParams(pairs) })
    .then((reply) => reply.text())
    .then((text) => console.log(text));
}
