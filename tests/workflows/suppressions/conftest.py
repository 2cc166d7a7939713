"""The provider of these tests: SendGrid at a standing clock, as its own tests reach it."""

from tests.providers.sendgrid.conftest import api, provider

__all__ = ["api", "provider"]
