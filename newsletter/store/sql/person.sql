-- name: events(subscriber)
-- What was reported about the mail to one subscriber, the newest first. There is no index for it: people ask for one
-- person now and then, and reports come by the million.
SELECT e.at, e.type, e.broadcast, coalesce(b.issue, '') AS issue, e.detail
FROM event AS e
LEFT JOIN broadcast AS b ON b.id = e.broadcast
WHERE e.subscriber = :subscriber
ORDER BY e.at DESC, e.id DESC;

-- name: soft_bounces(person)
-- When mail to a person could not be taken for a while, the newest first.
SELECT at, detail FROM soft_bounce WHERE person = :person ORDER BY at DESC;

-- name: count_subscribers()$
-- How many people are on the list.
SELECT count(*) FROM subscriber;
