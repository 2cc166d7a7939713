-- What people decide on the service's pages: since when they agree to tracking, and until when they want no email.
ALTER TABLE subscriber ADD COLUMN tracking_consented_at TEXT NOT NULL DEFAULT '';
ALTER TABLE subscriber ADD COLUMN paused_until TEXT NOT NULL DEFAULT '';

-- The key for codes that belong to no subscriber, such as those in the form for joining.
CREATE TABLE service_key (
    key BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Why people left, if they told us on the page. It names no address.
CREATE TABLE leaving_remark (
    subscriber INTEGER NOT NULL,
    at TEXT NOT NULL,
    reason TEXT NOT NULL,
    remark TEXT NOT NULL,
    PRIMARY KEY (subscriber, at)
) STRICT, WITHOUT ROWID;
