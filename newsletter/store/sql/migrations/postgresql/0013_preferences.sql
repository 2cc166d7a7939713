-- People who have paused are found from an index that contains only them.
CREATE INDEX subscriber_paused ON subscriber (paused_until) WHERE paused_until <> '';

-- The tokens that people had before they changed their address. For a while, they are still good for leaving.
CREATE TABLE former_token (
    subscriber BIGINT NOT NULL,
    token TEXT COLLATE "C" NOT NULL,
    ends_at TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (subscriber, token)
);

-- The changes of address that people asked for, until both addresses have confirmed.
CREATE TABLE address_change (
    subscriber BIGINT NOT NULL PRIMARY KEY,
    person TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    asked_at TEXT COLLATE "C" NOT NULL,
    old_confirmed_at TEXT COLLATE "C" NOT NULL DEFAULT '',
    new_confirmed_at TEXT COLLATE "C" NOT NULL DEFAULT ''
);

-- When people agreed to tracking or withdrew, and the version and language of the words that they saw.
CREATE TABLE tracking_choice (
    subscriber BIGINT NOT NULL,
    at TEXT COLLATE "C" NOT NULL,
    agrees INTEGER NOT NULL,
    wording TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (subscriber, at)
);
