"""Python's own http.server: of HTTP/1.0, one connection a request, or of HTTP/1.1 by threads."""
import http.server
import sys


class Application(http.server.BaseHTTPRequestHandler):
    """Answers /hello, /large, /not-modified, and sends back what is posted."""

    protocol_version = sys.argv[1]

    def log_message(self, *_):
        """Nobody reads it."""

    def answer(self, status, body=b'', fields=()):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        if status != 304:
            self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def do_GET(self):
        if self.path == '/hello':
            seen = self.headers.get('X-Forwarded-Proto', 'none')
            self.answer(200, b'hello', [('X-Forwarded-Proto-Seen', seen)])
        elif self.path == '/large':
            self.answer(200, b'x' * (10 * 1024 * 1024))
        elif self.path == '/not-modified':
            self.answer(304, fields=[('ETag', '"a"')])
        else:
            self.answer(404, b'not here')

    do_HEAD = do_GET

    def do_POST(self):
        left = int(self.headers['Content-Length'])
        self.send_response(200)
        self.send_header('Content-Length', str(left))
        self.end_headers()
        while left > 0:
            piece = self.rfile.read(min(left, 65536))
            if not piece:
                break
            left -= len(piece)
            self.wfile.write(piece)


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Application)
print(f'127.0.0.1:{server.server_port}', flush=True)
server.serve_forever()
