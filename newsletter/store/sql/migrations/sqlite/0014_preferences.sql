-- People who have paused are found from an index that contains only them.
CREATE INDEX subscriber_paused ON subscriber (paused_until) WHERE paused_until <> '';

-- The tokens that people had before they changed their address. For a while, they are still good for leaving.
CREATE TABLE former_token (
    subscriber INTEGER NOT NULL,
    token TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    PRIMARY KEY (subscriber, token)
) STRICT, WITHOUT ROWID;

-- The changes of address that people asked for, until both addresses have confirmed.
CREATE TABLE address_change (
    subscriber INTEGER NOT NULL PRIMARY KEY,
    person TEXT NOT NULL,
    email TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    old_confirmed_at TEXT NOT NULL DEFAULT '',
    new_confirmed_at TEXT NOT NULL DEFAULT ''
) STRICT;

-- When people agreed to tracking or withdrew, and the version and language of the words that they saw.
CREATE TABLE tracking_choice (
    subscriber INTEGER NOT NULL,
    at TEXT NOT NULL,
    agrees INTEGER NOT NULL,
    wording TEXT NOT NULL,
    PRIMARY KEY (subscriber, at)
) STRICT, WITHOUT ROWID;
