"""A web service that takes messages and sends them in the background. Needs aiohttp.

    python service.py CONFIG [PORT]

``POST /messages`` takes a message as JSON and answers 202 with a number; ``GET /messages/NUMBER``
says what became of it. Whoever must know at once asks for ``POST /messages?wait=1``.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

import hongyan

CLIENT: web.AppKey[hongyan.AsyncClient] = web.AppKey("client", hongyan.AsyncClient)
SENDS: web.AppKey[dict[int, asyncio.Task[hongyan.Receipt]]] = web.AppKey("sends", dict)
NUMBERS = itertools.count(1)
#: The fields of a message that a request may have.
FIELDS = {"account", "to", "text", "parts", "reply_to", "key", "extra"}


def outcome(send: asyncio.Task[hongyan.Receipt]) -> dict[str, Any]:
    """What is known of a send, for JSON."""
    if not send.done():
        return {"state": "under way"}
    error = send.exception()
    if error is None:
        return {"state": "sent", "message_id": send.result().message_id}
    if isinstance(error, hongyan.Error):
        return {"state": error.delivery, "error": error.name, "message": str(error)}
    return {"state": "not_sent", "error": "argument", "message": str(error)}


async def post(request: web.Request) -> web.Response:
    message = await request.json()
    if not isinstance(message, dict) or not message.keys() <= FIELDS or "account" not in message:
        raise web.HTTPBadRequest(text=f"a message is an object with some of {sorted(FIELDS)}")
    number = next(NUMBERS)
    client = request.app[CLIENT]
    send = asyncio.ensure_future(client.send(**message, timeout=60))
    request.app[SENDS][number] = send
    if "wait" in request.query:
        await asyncio.wait([send])
    return web.json_response({"number": number, **outcome(send)}, status=202)


async def get(request: web.Request) -> web.Response:
    send = request.app[SENDS].get(int(request.match_info["number"]))
    if send is None:
        raise web.HTTPNotFound
    return web.json_response(outcome(send))


async def the_client(app: web.Application) -> AsyncIterator[None]:
    """The client lives as long as the service; the end waits for what is under way."""
    async with hongyan.AsyncClient(sys.argv[1]) as client:
        app[CLIENT] = client
        yield


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    app = web.Application()
    app[SENDS] = {}
    app.cleanup_ctx.append(the_client)
    app.router.add_post("/messages", post)
    app.router.add_get(r"/messages/{number:\d+}", get)
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 8080
    web.run_app(
        app,
        host="127.0.0.1",
        port=port,
        print=lambda *_: print(json.dumps({"port": port}), flush=True),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
