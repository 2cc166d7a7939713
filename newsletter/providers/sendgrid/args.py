"""The custom arguments of every mail: they come back with each event and in the log, and trace it to its delivery.

Their names begin with a prefix of ours, since SendGrid's own names win in an event. Their values are ids alone:
SendGrid keeps them and cannot forget them.
"""

BROADCAST, CHUNK, ATTEMPT, DELIVERY = "nl_broadcast", "nl_chunk", "nl_attempt", "nl_delivery"


def request_args(broadcast: str, chunk: int, attempt: int) -> dict[str, str]:
    """The arguments that all mails of one request share: those of this attempt of this chunk alone."""
    return {BROADCAST: broadcast, CHUNK: str(chunk), ATTEMPT: str(attempt)}
