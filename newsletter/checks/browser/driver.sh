#!/bin/sh
# Start Playwright's driver with an environment of its own, which contains none of our secrets.
exec /usr/bin/env -i PATH="$PATH" HOME="$NEWSLETTER_DRIVER_HOME" TMPDIR="$NEWSLETTER_DRIVER_HOME" "$NEWSLETTER_NODE" "$@"
