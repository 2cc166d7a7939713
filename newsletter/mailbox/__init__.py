"""Read bounces, complaints, automatic replies and requests to unsubscribe that arrive as email."""
