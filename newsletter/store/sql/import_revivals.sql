-- People who had left and said yes again.

-- name: create_revival()!
-- Whose row holds a newer consent.
CREATE TEMPORARY TABLE revival (
    line INTEGER NOT NULL,
    person TEXT /*+ COLLATE "C" */ NOT NULL,
    email TEXT NOT NULL,
    reason TEXT NOT NULL,
    because TEXT NOT NULL
);

-- name: drop_revival()!
-- Clears up.
DROP TABLE revival;

-- name: keep_past_suppressions(now)!
-- Keeps what is lifted, and why.
INSERT INTO past_suppression (person, topic, reason, created_at, lifted_at, because)
SELECT p.person, p.topic, p.reason, p.created_at, :now, r.because
FROM revival AS r
JOIN suppression AS p ON p.person = r.person AND p.topic = ''
WHERE TRUE
ON CONFLICT (person, topic, lifted_at) DO NOTHING;

-- name: lift()!
-- They may be mailed again.
DELETE FROM suppression WHERE topic = '' AND person IN (SELECT person FROM revival);

-- name: remark_on_revivals()!
-- Says who came back.
INSERT INTO remark (line, email, is_rejected, text)
SELECT line, email, 0, 'came back (' || reason || '): ' || because FROM revival;
