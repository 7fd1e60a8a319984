"""Run the server until it is stopped."""

import errno
import os
import socket
from collections.abc import Callable
from ipaddress import ip_address

import uvicorn
from starlette.applications import Starlette

from ecinstruct_build.errors import UserError

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - to be compared with
LAST_PORT = 65_535
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def serve(app: Starlette, host: str, port: int, *, ready: Callable[[str], None]) -> None:
    """Serve an app until Ctrl-C or SIGTERM.

    Parameters
    ----------
    host
        A name or address of this machine; ``127.0.0.1`` is reached from this machine only.
    port
        0 takes any that is free.
    ready
        Called with the address, without a path, once connections are accepted.

    Raises
    ------
    UserError
        If the host is none of this machine's, or the port is taken or may not be used.
    """
    bound = _bound(host, port)
    with bound:
        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,  # the first address carries the token
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
        try:
            bound.listen(config.backlog)
            ready(address(host, bound.getsockname()[1]))
            uvicorn.Server(config).run(sockets=[bound])
        except KeyboardInterrupt:
            return


def address(host: str, port: int) -> str:
    """Return the address to open in a browser: this machine's name where the server listens on all addresses."""
    shown = socket.gethostname() if host in EVERYWHERE else host
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def is_loopback(host: str) -> bool:
    """Say whether a host is reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def hosts_of(host: str) -> list[str]:
    """Return the names that a Host header may give: the host's own, and all of this machine's if it listens on all."""
    if is_loopback(host):
        return list(LOOPBACK)
    own = {host}
    if host in EVERYWHERE:
        names = {socket.gethostname(), socket.getfqdn()}
        own = names | {f"{name}.local" for name in names if "." not in name} | _addresses(names)
    return sorted({f"[{name}]" if ":" in name else name for name in own} | set(LOOPBACK))


def _addresses(names: set[str]) -> set[str]:
    found = set()
    for name in names:
        try:
            found |= {str(entry[4][0]) for entry in socket.getaddrinfo(name, None)}
        except OSError:
            continue
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: it only chooses the address that this machine has towards others.
            probe.connect(("192.0.2.1", 9))
            found.add(probe.getsockname()[0])
        except OSError:
            pass
    return found


def _bound(host: str, port: int) -> socket.socket:
    if not 0 <= port <= LAST_PORT:
        raise UserError(f"There is no port {port}: choose one from 1024 to {LAST_PORT}, or 0 for any.")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise UserError(
            f"'{host}' is no host that a server can listen on. Use 127.0.0.1, or 0.0.0.0 for all."
        ) from error
    bound = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(place)
    except OSError as error:
        bound.close()
        raise UserError(_told(error, host, port)) from error
    return bound


def _told(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken: another server runs there. Stop it, or choose another port (0 takes any)."
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used without special rights. Choose one above 1023 (0 takes any)."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"'{host}' is no address of this machine. Use 127.0.0.1, or 0.0.0.0 for all."
    return f"The server cannot listen on {host}, port {port}: {error.strerror or error}."
