-- name: add_topic(broadcast, topic)*!
-- Add one topic of a broadcast.
INSERT INTO broadcast_topic (broadcast, topic) VALUES (:broadcast, :topic);

-- name: exclude_left(topics, count, settlement)!
-- Exclude the members who left all of the topics: they left as many of them as there are.
UPDATE member
SET settlement = :settlement
WHERE
    settlement IS NULL
    AND subscriber IN (
        SELECT s.id
        FROM suppression AS p
        JOIN subscriber AS s ON s.person = p.person
        WHERE p.topic <> '' AND p.topic IN (SELECT value FROM json_each(:topics))
        GROUP BY s.id
        HAVING count(*) = :count
    );

-- name: topics_of(broadcast)
-- Return the topics of a broadcast, and for each whether anyone left it.
SELECT t.topic, EXISTS (SELECT 1 FROM suppression AS p WHERE p.topic <> '' AND p.topic = t.topic) AS is_left
FROM broadcast_topic AS t
WHERE t.broadcast = :broadcast
ORDER BY t.topic;
