"""Only this page may ask: what other sites could make a browser send is refused."""

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Guard:
    """Middleware that refuses requests under another host's name or from another site's page."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application's call."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if reason := refusal(Request(scope)):
            return await JSONResponse({"error": reason}, 403)(scope, receive, send)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        return await self.app(scope, receive, sending)


def refusal(request: Request) -> str | None:
    """Why a request is not answered; None where it is.

    A site can have its own name point to this machine, so the name that was asked for must be this
    machine's; and its page can send forms here, so those that change or cost something must come
    from this page. Programs that are no browsers send neither `Origin` nor `Sec-Fetch-Site`.
    """
    host = request.headers.get("host", "")
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        name = None
    if name not in HOSTS:
        return f"the page is at 127.0.0.1, not at {host[:80]!r}"
    if request.method in ("GET", "HEAD"):
        return None
    origin = request.headers.get("origin", f"http://{host}")
    site = request.headers.get("sec-fetch-site", "same-origin")
    if origin != f"http://{host}" or site != "same-origin":
        return "another site's page may not ask for this"
    return None
