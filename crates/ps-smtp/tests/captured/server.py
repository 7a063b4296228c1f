"""A mail server that keeps what it is given, or breaks where it is told to.

Its one argument is a JSON object: `security` (`plain`, `starttls`, `tls`), `certificate` and `key`
(files), `login` (`[user, password]`) and `fault` (see `Handler`). It writes a JSON object a line: where
it listens, each connection, each mail as Python's own parser reads it. It ends with its standard
input.
"""

import asyncio
import email
import email.policy
import json
import os
import socket
import ssl
import struct
import sys

from aiosmtpd.smtp import SMTP, AuthResult

RESET = struct.pack("ii", 1, 0)


def tell(**what):
    print(json.dumps(what), flush=True)


def reset(transport):
    """Ends a connection as a crashed server does: RST instead of FIN."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    transport.abort()


class Handler:
    def __init__(self, fault):
        self.fault = fault
        self.greylisted = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.fault == "refuse":
            return f"550 5.1.1 {address} is nobody here"
        if self.fault == "greylist" and address not in self.greylisted:
            self.greylisted.add(address)
            return "451 4.7.1 come back later"
        if self.fault == "hang before the text":
            await asyncio.Event().wait()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        tell(mail=read(server, session, envelope))
        if self.fault == "hang after the text":
            await asyncio.Event().wait()
        if self.fault == "reset after the text":
            reset(server.transport)
            await asyncio.Event().wait()
        if self.fault == "refuse the text":
            return "554 5.7.1 no"
        return "250 OK"


def read(server, session, envelope):
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    parts = [part for part in message.walk() if not part.is_multipart()]
    return {
        "from": envelope.mail_from,
        "to": envelope.rcpt_tos,
        "encrypted": server.transport.get_extra_info("sslcontext") is not None,
        "login": session.authenticated,
        "hello": session.host_name,
        "ascii": envelope.content.isascii(),
        "longest": max(len(line) for line in envelope.content.split(b"\r\n")),
        "headers": [[name, str(value)] for name, value in message.items()],
        "type": message.get_content_type(),
        "parts": [[part.get_content_type(), part.get_content()] for part in parts],
        "defects": [str(defect) for part in message.walk() for defect in part.defects],
    }


class Server(SMTP):
    def connection_made(self, transport):
        if self.event_handler.fault == "reset at once":
            tell(connection=True)
            reset(transport)
            return
        is_new = self.session is None  # and not the same one changed to TLS
        if is_new:
            tell(connection=True)
        super().connection_made(transport)


def context(settings):
    if settings["security"] == "plain":
        return None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(settings["certificate"], settings["key"])
    return tls


async def main(settings):
    tls = context(settings)
    implicit = settings["security"] == "tls"
    login = settings.get("login")

    def authenticate(server, session, envelope, mechanism, data):
        given = [data.login.decode(), data.password.decode()]
        return AuthResult(success=given == login, handled=False)

    handler = Handler(settings.get("fault"))

    def factory():
        return Server(
            handler,
            hostname="captured.example",
            tls_context=None if implicit else tls,
            require_starttls=settings["security"] == "starttls",
            auth_required=login is not None,
            auth_require_tls=not implicit,
            authenticator=authenticate,
            loop=loop,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=tls if implicit else None)
    tell(listening=server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(main(json.loads(sys.argv[1])))
