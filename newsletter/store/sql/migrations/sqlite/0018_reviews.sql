-- What reviewers were asked to look at, as it was then. A newer review of the same issue ends the earlier ones.
CREATE TABLE review (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    issue TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    ended_at TEXT NOT NULL DEFAULT '',
    snapshot BLOB NOT NULL       -- compressed JSON
) STRICT;

CREATE INDEX review_of_issue ON review (issue);

CREATE TABLE review_picture (
    review INTEGER NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (review, name)
) STRICT, WITHOUT ROWID;

-- Who was asked. The token is the key of their link.
CREATE TABLE reviewer (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    review INTEGER NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    token TEXT NOT NULL
) STRICT;

CREATE INDEX reviewer_of_review ON reviewer (review);

-- What reviewers said about a block of the email, with the block's place and words at that time.
CREATE TABLE review_remark (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    review INTEGER NOT NULL,
    reviewer INTEGER NOT NULL,
    path TEXT NOT NULL,
    line INTEGER NOT NULL,     -- 0 if it is about the whole file
    words TEXT NOT NULL,
    said TEXT NOT NULL,
    said_at TEXT NOT NULL,
    done_at TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX remark_of_review ON review_remark (review);
