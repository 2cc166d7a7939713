-- Whether a receiving server is known to have accepted the email. It is set when the events are judged.
ALTER TABLE delivery ADD COLUMN is_delivered INTEGER NOT NULL DEFAULT 0;

INSERT INTO unjudged_minute (minute)
SELECT DISTINCT substr(at, 1, 16) FROM event WHERE type = 'delivered'
ON CONFLICT (minute) DO NOTHING;

-- When a person first opened or clicked.
ALTER TABLE reaction ADD COLUMN first_at TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE reaction SET first_at = last_at;
UPDATE reaction
SET first_at = e.at
FROM (
    SELECT broadcast, type, subscriber, min(at) AS at
    FROM event
    WHERE type IN ('opened', 'clicked') AND verdict IN ('', 'proxy')
    GROUP BY broadcast, type, subscriber
) AS e
WHERE
    reaction.broadcast = e.broadcast AND reaction.type = e.type AND reaction.subscriber = e.subscriber
    AND e.at < reaction.last_at;

-- What a report reads of events, without the many that say that an email was processed, delivered or opened.
CREATE INDEX event_of_trouble ON event (broadcast, subscriber, type, at, cause)
WHERE type IN ('bounced', 'blocked', 'dropped', 'deferred', 'complained', 'unsubscribed');
CREATE INDEX event_clicked ON event (broadcast, subscriber, url, verdict, at) WHERE type = 'clicked';
CREATE INDEX event_of_machine ON event (broadcast, type, verdict, subscriber) WHERE verdict NOT IN ('', 'proxy');
