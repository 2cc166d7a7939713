"""Take in the events that SendGrid posts. A post is answered when it is saved, and interpreted afterwards."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newsletter.errors import NewsletterError
from newsletter.providers.sendgrid.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, WebhookKeys
from newsletter.web.public.protection import read_body
from newsletter.web.public.service import Service
from newsletter.workflows.events.receive import keep_post, webhook_keys

PATH = "/events/sendgrid"
LARGEST_POST = 2_000_000  # bytes; SendGrid posts about 768 KB at most
_RETRY_SECONDS = "60"


def routes(service: Service) -> list[BaseRoute]:
    """Return the route of SendGrid's webhook, if its keys are in the settings. Raise InputError if one is not a key."""
    keys = webhook_keys(service.config)
    if keys is None:
        return []

    async def receive(request: Request) -> Response:
        return await _receive(service, keys, request)

    return [Route(PATH, receive, methods=["POST"])]


async def _receive(service: Service, keys: WebhookKeys, request: Request) -> Response:
    """Answer 200 when the post is on disk, 401 for a wrong signature, 413 if it is too large, 503 if it is not saved.

    SendGrid repeats a post for 24 hours until the answer is in the 200s. A post with the right signature is therefore
    accepted whatever it contains.
    """
    body = await read_body(request, most=LARGEST_POST)  # before anything else: the signature is over these very bytes
    signatures, timestamps = (request.headers.getlist(name) for name in (SIGNATURE_HEADER, TIMESTAMP_HEADER))
    if len(signatures) != 1 or len(timestamps) != 1:
        return Response(status_code=401)
    if not keys.have_signed(body, signature=signatures[0], timestamp=timestamps[0], now=service.now):
        return Response(status_code=401)
    try:
        await service.save(keep_post(body, now=service.now))
    except NewsletterError:  # for example because the disk is full
        return Response(status_code=503, headers={"Retry-After": _RETRY_SECONDS})
    return Response(status_code=200)
