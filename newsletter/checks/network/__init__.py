"""The checks that need the network: links, the one-click unsubscribe endpoint, and the sender's domain."""
