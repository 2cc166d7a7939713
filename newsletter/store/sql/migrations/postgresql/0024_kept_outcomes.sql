-- In the order in which a report counts: the people of one link after the other. The type is in the index, so that the
-- events themselves need not be read.
DROP INDEX event_clicked;
CREATE INDEX event_clicked ON event (broadcast, type, url, subscriber, verdict, at) WHERE type = 'clicked';

-- What came of an issue, as it was last counted for comparison with a newer one. `state` is what it was counted from: it
-- is counted again if that has changed.
CREATE TABLE kept_outcome (
    issue TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    state TEXT COLLATE "C" NOT NULL,
    counted_at TEXT COLLATE "C" NOT NULL,
    content TEXT COLLATE "C" NOT NULL      -- JSON
);
