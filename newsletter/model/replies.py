"""What is known about the messages of a chunk that a process was sending when it ended."""

from msgspec import Struct


class Reply(Struct, frozen=True, kw_only=True):
    """One message: whether it may have been sent, and what the provider replied."""

    delivery: int
    was_begun: bool  # False only if the message was certainly not sent
    meaning: str = ""  # the meaning of the reply, as the provider's module names it; empty if no reply is known
    words: str = ""  # the words of the reply
