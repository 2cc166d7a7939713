-- What kind of email about an issue a broadcast is: issue, follow-up, correction, welcome or confirmation.
ALTER TABLE broadcast ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT 'issue';

-- Until when nothing of it is sent, so that a person can still change their mind. Empty: it may be sent at once.
ALTER TABLE broadcast ADD COLUMN grace_until TEXT COLLATE "C" NOT NULL DEFAULT '';

-- The edition that the delivery counts for: the first broadcast of the same issue and kind. No one gets an edition
-- twice. It is NULL if the delivery reached no one and its place was given to one of a later broadcast.
ALTER TABLE delivery ADD COLUMN edition INTEGER;

-- Of several deliveries of an edition to one person, the first that may have reached them has the place.
UPDATE delivery
SET edition = (
    SELECT min(f.id)
    FROM broadcast AS f
    JOIN broadcast AS b ON b.issue = f.issue
    WHERE b.id = delivery.broadcast
)
WHERE
    chunk IS NOT NULL
    AND EXISTS (
        SELECT 1
        FROM chunk AS c
        WHERE c.broadcast = delivery.broadcast AND c.number = delivery.chunk AND c.state NOT IN ('rejected', 'cancelled')
    )
    AND NOT EXISTS (
        SELECT 1
        FROM broadcast AS b
        JOIN broadcast AS f ON f.issue = b.issue AND f.id < b.id
        JOIN delivery AS d ON d.broadcast = f.id AND d.subscriber = delivery.subscriber
        JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
        WHERE b.id = delivery.broadcast AND c.state NOT IN ('rejected', 'cancelled')
    );

CREATE UNIQUE INDEX delivery_of_edition ON delivery (edition, subscriber) WHERE chunk IS NOT NULL;

CREATE INDEX broadcast_of_content ON broadcast (content_hash);

-- What the reviewers must learn about scheduled broadcasts by email, and whether they have.
CREATE TABLE notice (
    broadcast INTEGER NOT NULL REFERENCES broadcast (id),
    at TEXT COLLATE "C" NOT NULL,                  -- when it happened
    what TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,               -- the state of the broadcast then
    tried_at TEXT COLLATE "C" NOT NULL DEFAULT '', -- when the reviewers were last emailed about it
    told_at TEXT COLLATE "C" NOT NULL DEFAULT '',  -- when an email about it was accepted
    failure TEXT COLLATE "C" NOT NULL DEFAULT '',  -- why the last email about it was not accepted
    PRIMARY KEY (broadcast, at, what)
);
