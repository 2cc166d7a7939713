-- People who have paused are found from an index that contains only them.
CREATE INDEX subscriber_paused ON subscriber (paused_until) WHERE paused_until <> '';

-- The tokens that people had before they changed their address. For a while, they are still good for leaving.
CREATE TABLE former_token (
    subscriber INTEGER NOT NULL,
    token TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    PRIMARY KEY (subscriber, token)
) STRICT, WITHOUT ROWID;

-- The links that people asked for on the pages, each sent to one address.
CREATE TABLE link_request (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subscriber INTEGER NOT NULL,
    kind TEXT NOT NULL,
    person TEXT NOT NULL,                     -- the form of the address that identifies the person
    email TEXT NOT NULL,                      -- the address to which the link is sent
    token TEXT NOT NULL,                      -- the key of the link
    asked_at TEXT NOT NULL,
    mailed_at TEXT NOT NULL DEFAULT '',       -- when its email was put in the ledger
    broadcast INTEGER,                      -- the broadcast with that email
    recipient INTEGER,                      -- the id by which the ledger knows the owner of the address
    confirmed_at TEXT NOT NULL DEFAULT ''     -- when the owner of the address confirmed that it is to be used
) STRICT;

CREATE INDEX link_request_of_subscriber ON link_request (subscriber);
CREATE INDEX link_request_of_person ON link_request (person);
CREATE INDEX link_request_of_recipient ON link_request (recipient);
CREATE INDEX link_request_waiting ON link_request (id) WHERE mailed_at = '';

-- When people agreed to tracking or withdrew, and the version and language of the words that they saw.
CREATE TABLE tracking_choice (
    subscriber INTEGER NOT NULL,
    at TEXT NOT NULL,
    agrees INTEGER NOT NULL,
    wording TEXT NOT NULL,
    PRIMARY KEY (subscriber, at)
) STRICT, WITHOUT ROWID;
