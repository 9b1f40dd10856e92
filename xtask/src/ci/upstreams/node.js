// An application as many write them: node's own http, on a port (or a Unix socket) that it says.
const http = require('node:http');
const crypto = require('node:crypto');

const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://upstream');
  if (request.method === 'POST') {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    request.pipe(response);
  } else if (url.pathname === '/large') {
    response.end(Buffer.alloc(10 * 1024 * 1024, 'x'));
  } else if (url.pathname === '/events') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    response.write('data: first\n\n');
    // The second comes when somebody has seen the first, and says so.
    server.once('seen', () => response.end('data: second\n\n'));
  } else if (url.pathname === '/seen') {
    server.emit('seen');
    response.end('thanks');
  } else if (url.pathname === '/not-modified') {
    response.writeHead(304, { ETag: '"a"' });
    response.end();
  } else if (url.pathname === '/hello') {
    response.writeHead(200, { 'X-Forwarded-Proto-Seen': request.headers['x-forwarded-proto'] || 'none' });
    response.end('hello');
  } else {
    response.writeHead(404);
    response.end('not here');
  }
});

// WebSocket (RFC 6455) as far as the echo of short text goes.
server.on('upgrade', (request, socket) => {
  const accept = crypto.createHash('sha1')
    .update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
  socket.on('end', () => socket.end());
  socket.on('data', (frame) => {
    const length = frame[1] & 127;
    const text = Buffer.from(frame.subarray(6, 6 + length).map((byte, at) => byte ^ frame[2 + (at % 4)]));
    socket.write(Buffer.concat([Buffer.from([0x81, length]), text]));
  });
});

const place = process.argv[2];
server.listen(place === '0' ? { port: 0, host: '127.0.0.1' } : place, () => {
  const address = server.address();
  console.log(typeof address === 'string' ? `unix:${address}` : `127.0.0.1:${address.port}`);
});
