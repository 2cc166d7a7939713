#!/bin/sh
# Start the browser as NEWSLETTER_BROWSER_USER (`uid:gid`). First give that user the profile folder, which the driver created.
set -eu
for argument; do
    case "$argument" in --user-data-dir=*) chown -R "$NEWSLETTER_BROWSER_USER" "${argument#*=}" ;; esac
done
exec setpriv --reuid="${NEWSLETTER_BROWSER_USER%:*}" --regid="${NEWSLETTER_BROWSER_USER#*:}" --clear-groups \
    "$NEWSLETTER_BROWSER" "$@"
