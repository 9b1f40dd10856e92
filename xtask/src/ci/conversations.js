// The example `conversations`, by npm's `ws`: `node conversations.js FOLDER URL [AUTHORITY]`, FOLDER where `ws` is installed, its URL ws:// or wss://.
// What is not as it should be ends it with a word about it.
'use strict';

const assert = require('assert');
const fs = require('fs');
const path = require('path');

const [folder, url, authority] = process.argv.slice(2);
const WebSocket = require(path.join(folder, 'node_modules', 'ws'));

const PATIENCE_MS = 60_000;
const LARGE = 5_000_000;
const MANY = 200;
const TIMES = 20;
const ca = authority && fs.readFileSync(authority);

function open(path, protocols = [], options = {}) {
    const socket = new WebSocket(url + path, protocols, { ca, maxPayload: 2 * LARGE, perMessageDeflate: false, ...options });
    // Messages wait here for who asks.
    const messages = [];
    const readers = [];
    socket.closed = new Promise((resolve) => socket.on('close', (code, reason) => resolve([code, reason.toString()])));
    socket.closed.then(() => readers.splice(0).forEach((reader) => reader.reject(new Error('closed, not a message'))));
    socket.on('message', (data, isBinary) => {
        const message = isBinary ? data : data.toString();
        readers.length ? readers.shift().resolve(message) : messages.push(message);
    });
    socket.message = () => messages.length ? Promise.resolve(messages.shift()) : new Promise((resolve, reject) => readers.push({ resolve, reject }));
    socket.opened = new Promise((resolve, reject) => {
        socket.on('open', () => resolve(socket));
        socket.on('unexpected-response', (request, response) => { request.destroy(); reject(response); });
        socket.on('error', reject);
    });
    return socket.opened;
}

async function echoes(socket) {
    const messages = ['', 'a', 'héllo, wörld', '\u{1f426}'.repeat(1000), 'line\n'.repeat(30_000), Buffer.alloc(0), Buffer.from([...Array(256).keys()]), Buffer.alloc(65_536, 7), Buffer.alloc(LARGE, 'gannet')];
    for (const message of messages) {
        socket.send(message);
        assert.deepStrictEqual(await socket.message(), message);
    }
    messages.forEach((message) => socket.send(message));
    for (const message of messages) {
        assert.deepStrictEqual(await socket.message(), message);
    }
}

async function close(socket, code, reason) {
    socket.close(code, reason);
    assert.deepStrictEqual((await socket.closed)[0], code);
}

const steps = {
    async messages() {
        const socket = await open('/echo');
        assert.strictEqual(socket.extensions, '');
        await echoes(socket);
        ['frag', '', 'men'].forEach((piece) => socket.send(piece, { fin: false }));
        // A Ping between the fragments of a message.
        const pong = new Promise((resolve) => socket.on('pong', (data) => resolve(data.toString())));
        socket.ping('are you there?');
        socket.send('ted', { fin: true });
        assert.strictEqual(await pong, 'are you there?');
        assert.strictEqual(await socket.message(), 'fragmented');
        await close(socket, 1000, '');
    },

    async compression() {
        const offers = [true, { serverNoContextTakeover: true }, { clientNoContextTakeover: true }, { serverMaxWindowBits: 9, clientMaxWindowBits: 9 }, { serverMaxWindowBits: 12 }];
        for (const path of ['/alone', '/takeover']) {
            for (const perMessageDeflate of offers) {
                const socket = await open(path, [], { perMessageDeflate: perMessageDeflate === true || { threshold: 0, ...perMessageDeflate } });
                assert.match(socket.extensions, /^permessage-deflate/);
                await echoes(socket);
                await close(socket, 1000, '');
            }
        }
    },

    async protocols() {
        for (const [asked, agreed] of [[['v1.echo'], 'v1.echo'], [['v1.echo', 'v2.echo'], 'v1.echo'], [['none', 'v2.echo'], 'v2.echo']]) {
            const socket = await open('/echo', asked);
            assert.strictEqual(socket.protocol, agreed);
            await close(socket, 1000, '');
        }
        // Where none is agreed on, this client goes.
        await assert.rejects(open('/echo', ['none']), /Server sent no subprotocol/);
    },

    async closes() {
        for (const [code, reason] of [[1000, ''], [1001, 'away'], [3000, 'é'.repeat(61)], [4999, 'own']]) {
            await close(await open('/echo'), code, reason);
        }
        for (const code of [1000, 1001, 1008, 1011, 1013, 3999, 4000]) {
            const socket = await open(`/close/${code}`);
            assert.deepStrictEqual(await socket.closed, [code, 'as was asked']);
        }
        const socket = await open('/echo');
        socket.terminate();
        assert.strictEqual((await socket.closed)[0], 1006);
    },

    async refusals() {
        const origin = url.replace('ws', 'http');
        await close(await open('/echo', [], { origin }), 1000, '');
        for (const [path, options, status] of [['/echo', { origin: 'https://evil.test' }, 403], ['/none', {}, 404], ['/', {}, 200]]) {
            await assert.rejects(open(path, [], options), (refused) => refused.statusCode === status);
        }
    },

    async many() {
        const one = async (number) => {
            const socket = await open(number % 4 === 0 ? '/takeover' : '/echo', [], { perMessageDeflate: { threshold: 0 } });
            for (let time = 0; time < TIMES; time += 1) {
                const message = `${number} says ${time}`.repeat(1 + number * time % 50);
                socket.send(message);
                assert.strictEqual(await socket.message(), message);
            }
            await close(socket, 1000, '');
        };
        await Promise.all(Array.from({ length: MANY }, (_, number) => one(number)));
    },
};

async function main() {
    for (const [name, step] of Object.entries(steps)) {
        const late = setTimeout(() => fail(name, 'it took too long'), PATIENCE_MS);
        await step().catch((error) => fail(name, error));
        clearTimeout(late);
    }
    console.log(`${MANY} at once`);
}

function fail(name, error) {
    console.error(`error: ${name}: ${String(error.stack || error).slice(0, 1000)}`);
    process.exit(1);
}

main();
