-- name: add_topic(broadcast, topic)*!
-- One of the topics that a broadcast is about.
INSERT INTO broadcast_topic (broadcast, topic) VALUES (:broadcast, :topic);

-- name: exclude_left(topics, count, settlement)!
-- Excludes those who left as many of the topics as there are.
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
-- What a broadcast is about, and of each topic whether anybody left it.
SELECT t.topic, EXISTS (SELECT 1 FROM suppression AS p WHERE p.topic <> '' AND p.topic = t.topic) AS is_left
FROM broadcast_topic AS t
WHERE t.broadcast = :broadcast
ORDER BY t.topic;
