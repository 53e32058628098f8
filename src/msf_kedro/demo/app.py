"""The page and what it asks for, over HTTP: an ASGI application."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Thread
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from msf_kedro.clips.readers import SUFFIXES
from msf_kedro.demo.guard import Guard
from msf_kedro.demo.playground import Playground
from msf_kedro.drawings.player import KEY, environment

MAX_QUESTION = 1_000_000  # bytes
DEFECT = "something went wrong that should not have; the terminal says more"


def application(playground: Playground) -> Starlette:
    """The application; when it starts, the text encoder is loaded in the background."""
    templates = environment("msf_kedro", "demo")
    templates.policies["json.dumps_kwargs"] = {}  # kinds of text in the order of the method
    page = templates.get_template("page.html.jinja").render(
        **_words(playground), about=playground.about(), suffixes=SUFFIXES, key=KEY
    )
    files = {
        "/demo.css": (f"{templates.globals['css']}{_file(templates, 'demo.css')}", "text/css"),
        "/demo.js": (_file(templates, "demo.js"), "text/javascript"),
        "/player.js": (str(templates.globals["script"]), "text/javascript"),
    }

    def whole(request: Request) -> Response:
        if request.url.path == "/":
            return HTMLResponse(page)
        content, kind = files[request.url.path]
        return Response(content, media_type=kind)

    async def figure(request: Request) -> Response:
        key = request.path_params["key"]
        return HTMLResponse(await run_in_threadpool(playground.figure, key))

    async def take(request: Request) -> Response:
        content = await _body(request, playground.model.limits.bytes)
        name = request.query_params.get("name", "")
        return JSONResponse(await run_in_threadpool(playground.take, name, content))

    async def answer(request: Request) -> Response:
        asked = _question(await _body(request, MAX_QUESTION))
        return JSONResponse(await run_in_threadpool(playground.answer, **asked))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        Thread(target=playground.warm_up, daemon=True).start()
        yield

    return Starlette(
        routes=[
            *(Route(path, whole) for path in ("/", *files)),
            Route("/clips/{key}", figure),
            Route("/clips", take, methods=["POST"]),
            Route("/answer", answer, methods=["POST"]),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers={ValueError: _refused, Exception: _defect},
        lifespan=lifespan,
    )


def _words(playground: Playground) -> dict[str, Any]:
    """What the page says of the model."""
    model = playground.model
    return {
        "study": model.facts.get("study", ""),
        "layout": model.layout.name,
        "joints": len(model.layout.joints),
        "dimensions": model.layout.dimensions,
        "seen": len(playground.about()["seen"]),
    }


def _file(templates: Any, name: str) -> str:
    return templates.loader.get_source(templates, name)[0]


async def _body(request: Request, most: int) -> bytes:
    """A request's content.

    Raises:
        ValueError: it has more bytes than accepted.
    """
    content = bytearray()
    announced = request.headers.get("content-length", "0")
    async for part in request.stream():
        content += part
        if max(len(content), int(announced)) > most:
            raise ValueError(f"this has more than the {most:,} bytes that are accepted")
    return bytes(content)


def _question(content: bytes) -> dict[str, Any]:
    """The key of a clip, and classes."""
    try:
        asked = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"a question that is no JSON: {error}") from error
    if not isinstance(asked, dict) or not isinstance(asked.get("clip"), str):
        raise ValueError("a question without a clip; pick one")
    return {"key": asked["clip"], "classes": asked.get("classes")}


async def _refused(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


async def _defect(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": DEFECT}, 500)
