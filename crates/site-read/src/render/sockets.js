// Asks before it opens a web socket to `host`: by a request for `path`, which is answered in the browser. One that is not
// allowed leads `nowhere` instead, and fails as any other does.
(host, path, nowhere) => {
    const Native = self.WebSocket;
    const Request = self.XMLHttpRequest;
    if (!Native) return;
    const meant = (address) => {
        try {
            return new URL(address, self.document ? document.baseURI : location.href);
        } catch {
            return null;
        }
    };
    const allowed = (socket) => {
        try {
            const question = new URL(path, socket.href.replace(/^ws/, 'http'));
            question.searchParams.set('socket', socket.href);
            const request = new Request();
            request.open('GET', question.href, false);
            request.send();
            return request.status === 204;
        } catch {
            return false;
        }
    };
    const Asking = new Proxy(Native, {
        construct(target, given, made) {
            const socket = meant(given[0]);
            const refused = socket && socket.hostname === host && !allowed(socket);
            return Reflect.construct(target, refused ? [nowhere, ...given.slice(1)] : given, made);
        },
    });
    self.WebSocket = Asking;
    Native.prototype.constructor = Asking;
}
