-- Recipients who were refused for now are tried again after everyone else, then set aside and tried again later.
ALTER TABLE chunk ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;      -- how often its recipients were tried without success
ALTER TABLE chunk ADD COLUMN deferrals INTEGER NOT NULL DEFAULT 0;  -- how often they were refused for now
ALTER TABLE chunk ADD COLUMN retry_at TEXT NOT NULL DEFAULT '';    -- not to be tried before this time; may be empty

-- What the recipients of a deferred chunk become unless the provider turns out to refuse everyone, or empty. The number
-- of deliveries that had been accepted tells whether anything was accepted since; -1 if that is known already.
ALTER TABLE chunk ADD COLUMN ending TEXT NOT NULL DEFAULT '';
ALTER TABLE chunk ADD COLUMN accepted_before INTEGER NOT NULL DEFAULT -1;

-- When a broadcast continues without a person: a time, or empty.
ALTER TABLE broadcast ADD COLUMN continues_at TEXT NOT NULL DEFAULT '';

-- When the first event or deadline in a broadcast has passed: a time, or empty.
ALTER TABLE broadcast ADD COLUMN good_until TEXT NOT NULL DEFAULT '';

-- The order in which chunks are claimed: everyone is tried before anyone is tried again.
DROP INDEX chunk_ready;
CREATE INDEX chunk_ready ON chunk (broadcast, tries, attempt, due_at, number) WHERE state = 'ready';
CREATE INDEX chunk_deferred ON chunk (broadcast, retry_at) WHERE state = 'deferred';
