-- name: find_key()$
-- Return the key for codes that belong to no subscriber.
SELECT key FROM service_key;

-- name: keep_key(key)!
-- Save the key, unless there is one.
INSERT INTO service_key (key)
SELECT :key
WHERE NOT EXISTS (SELECT 1 FROM service_key);

-- name: keep_remark(subscriber, at, reason, remark)!
-- Save why someone left. What they say later in the same second replaces it.
INSERT INTO leaving_remark (subscriber, at, reason, remark)
VALUES (:subscriber, :at, :reason, :remark)
ON CONFLICT (subscriber, at) DO UPDATE SET reason = excluded.reason, remark = excluded.remark;

-- name: remarks(subscriber)
-- Return why someone left, the newest first.
SELECT at, reason, remark FROM leaving_remark WHERE subscriber = :subscriber ORDER BY at DESC;
