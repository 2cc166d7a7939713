-- Who asked to join with the form, and what they agreed to. Once they have confirmed it, this is the proof.
CREATE TABLE signup (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    person TEXT NOT NULL,                 -- the form of the address that identifies the person
    email TEXT NOT NULL,                  -- the address as given
    first_name TEXT NOT NULL,
    language TEXT NOT NULL,               -- of the page on which they asked
    topics TEXT NOT NULL,                 -- the topics that they chose, each between bars; empty for all
    wants_tracking INTEGER NOT NULL,      -- whether they agreed to tracking
    source TEXT NOT NULL,                 -- the name of the form
    wording TEXT NOT NULL,                -- the version of the words that they saw
    token TEXT NOT NULL DEFAULT '',                  -- the key of the link that confirms it
    asked_at TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'asked',
    mailed_at TEXT NOT NULL DEFAULT '',   -- when an email about it was put in the ledger
    broadcast INTEGER,                    -- the broadcast with that email
    subscriber INTEGER,                   -- the id that the person has on the list, or will have
    confirmed_at TEXT NOT NULL DEFAULT '',
    welcome TEXT NOT NULL DEFAULT ''      -- whether they still get the welcome email: `due`, `done`, or empty
) STRICT;

CREATE INDEX signup_of_person ON signup (person, mailed_at);
CREATE INDEX signup_of_subscriber ON signup (subscriber);
CREATE INDEX signup_asked ON signup (id) WHERE state = 'asked';
CREATE INDEX signup_mailed ON signup (mailed_at);
CREATE INDEX signup_welcome ON signup (id) WHERE welcome = 'due';
CREATE UNIQUE INDEX signup_delivery ON signup (broadcast, subscriber);

-- The words that people agreed to, in each version that a form showed.
CREATE TABLE signup_wording (
    version TEXT NOT NULL PRIMARY KEY,
    language TEXT NOT NULL,
    words TEXT NOT NULL,
    first_shown_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How many sign-ups were not followed up, by hour and reason. No address is stored.
CREATE TABLE signup_refusal (
    hour_at TEXT NOT NULL,
    reason TEXT NOT NULL,
    signups INTEGER NOT NULL,
    PRIMARY KEY (hour_at, reason)
) STRICT, WITHOUT ROWID;
