-- What people decide on the service's pages: since when they agree to tracking, and until when they want no email.
ALTER TABLE subscriber ADD COLUMN tracking_consented_at TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE subscriber ADD COLUMN paused_until TEXT COLLATE "C" NOT NULL DEFAULT '';

-- The key for codes that belong to no subscriber, such as those in the form for joining.
CREATE TABLE service_key (
    key BYTEA NOT NULL PRIMARY KEY
);

-- Why people left, if they told us on the page. It names no address.
CREATE TABLE leaving_remark (
    subscriber BIGINT NOT NULL,
    at TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    remark TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (subscriber, at)
);
