"""How mail leaves: by SendGrid, by an SMTP relay, or as files in an outbox."""
