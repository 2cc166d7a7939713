"""Providers, which send email through SendGrid or an SMTP relay, or save it as files in an outbox."""
