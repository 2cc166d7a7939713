-- Broadcasts to which people are added one by one: confirmations, welcome emails and links that people asked for.

-- name: newest(kind, issue, content_hash, provider, envelope)
-- Return the newest broadcast with this content and sender.
SELECT id, state IN ('running', 'done') AS is_open, state = 'done' AS is_done
FROM broadcast
WHERE
    issue = :issue AND kind = :kind AND content_hash = :content_hash AND provider = :provider
    AND envelope = :envelope
ORDER BY id DESC
LIMIT 1;

-- name: of_day(kind, day, subscriber)$
-- Return in how many broadcasts of a kind and day someone has a place: the first is named after the day, and further ones
-- have its name and a number.
SELECT count(*)
FROM broadcast AS b
JOIN delivery AS d ON d.broadcast = b.id AND d.subscriber = :subscriber
WHERE b.kind = :kind AND (b.issue = :day OR b.issue LIKE :day || '-%');

-- name: next_chunk(broadcast)$
-- Return the number for a new chunk.
SELECT coalesce(max(number), 0) + 1 FROM chunk WHERE broadcast = :broadcast;

-- name: add_delivery(broadcast, edition, subscriber, chunk)*!
-- Add a delivery. The unique index refuses anyone who has a place in the edition already.
INSERT INTO delivery (broadcast, edition, subscriber, chunk, settlement)
VALUES (:broadcast, :edition, :subscriber, :chunk, NULL);

-- name: grow(broadcast, people)!
-- Add to the number of recipients.
UPDATE broadcast SET frozen = frozen + :people WHERE id = :broadcast;

-- name: running(kinds)
-- Return the broadcasts of the kinds in a JSON list that have something to send, and that no one has to look at first.
SELECT id FROM broadcast WHERE kind IN (SELECT value FROM json_each(:kinds)) AND state = 'running' ORDER BY id;

-- name: last_confirmation()$
-- Return the newest broadcast of confirmations.
SELECT max(id) FROM broadcast WHERE kind = 'confirmation';
